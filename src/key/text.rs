//! Texts that people read: names, descriptions and metadata.

/// The most bytes of a text by which a store finds keys, lines of the trail or earlier requests: the name of a key, a name
/// or a value of its metadata, an author and an idempotency key. Databases keep these texts in indexes, whose entries are
/// bounded.
pub const MAX_TEXT_BYTES: usize = 1_024;

/// The most bytes of a text that is only shown: a description, and the reason of a change.
pub const MAX_LONG_TEXT_BYTES: usize = 8_192;

/// Reports a text that is too long, or has a character that can mislead its reader. Such a character moves the cursor,
/// breaks the line or turns the direction of the text. The error does not repeat the text.
///
/// ```
/// use tower_api_key::key::{Account, InvalidRecord, KeyRecord};
///
/// let acme = Account::builder("acme").build()?;
/// let error = KeyRecord::builder("key_1", acme).name("two\nlines").build().unwrap_err();
/// assert!(matches!(error, InvalidRecord::Text(_)));
/// assert!(error.to_string().starts_with("name must have no control characters"));
/// # Ok::<(), InvalidRecord>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must have {problem}")]
pub struct InvalidText {
    what: &'static str,
    problem: TextProblem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum TextProblem {
    #[error("no control characters, line breaks or marks of writing direction")]
    Misleading,
    #[error("at most {0} bytes")]
    Length(usize),
}

/// Checks a text by which a store finds something: see [`MAX_TEXT_BYTES`].
pub(crate) fn check_text(what: &'static str, text: &str) -> Result<(), InvalidText> {
    check(what, text, MAX_TEXT_BYTES)
}

/// Checks a text that is only shown: see [`MAX_LONG_TEXT_BYTES`].
pub(crate) fn check_long_text(what: &'static str, text: &str) -> Result<(), InvalidText> {
    check(what, text, MAX_LONG_TEXT_BYTES)
}

/// Checks a text that ends up on a terminal, in a log or on a page. Control characters can forge lines
/// there.
fn check(what: &'static str, text: &str, most: usize) -> Result<(), InvalidText> {
    if text.len() > most {
        return Err(InvalidText { what, problem: TextProblem::Length(most) });
    }
    if text.chars().any(misleads) {
        return Err(InvalidText { what, problem: TextProblem::Misleading });
    }
    Ok(())
}

/// Returns true for a control character (C0, DEL, C1), a separator of lines or paragraphs, or a control
/// of direction (Unicode's `Bidi_Control`).
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_no_index_can_hold_is_refused() {
        for (fits, most) in [
            (check_text as fn(_, &str) -> _, MAX_TEXT_BYTES),
            (check_long_text, MAX_LONG_TEXT_BYTES),
        ] {
            assert_eq!(fits("name", &"x".repeat(most)), Ok(()));
            let error = fits("name", &"é".repeat(most / 2 + 1)).unwrap_err();
            assert_eq!(error.to_string(), format!("name must have at most {most} bytes"));
        }
    }

    #[test]
    fn what_misleads_a_reader_is_refused() {
        for character in "\0\u{1}\t\n\r\u{1b}\u{1f}\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\
                          \u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
            .chars()
        {
            let error = check_text("name", &format!("a{character}b")).unwrap_err();
            assert!(error.to_string().starts_with("name must"), "{character:?}");
        }
        for text in [
            "",
            "a b",
            "é",
            "\u{a0}",
            "العربية",
            "👩\u{200d}🚀",
            "\u{2027}",
            "\u{202f}",
            "\u{2065}",
            "\u{206a}",
        ] {
            assert_eq!(check_text("name", text), Ok(()), "{text:?}");
        }
    }
}
