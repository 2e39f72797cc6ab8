//! Escapes text of customers for a terminal. A terminal obeys control characters: they clear the screen or
//! forge a row. Bidirectional overrides reverse a line, and characters without width hide text.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Escapes control and invisible characters and line breaks, for a cell or a message.
pub(crate) fn one_line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Escapes control and invisible characters except line feeds, for lines of this program's own.
pub(crate) fn lines(text: &str) -> String {
    escaped(text, |character| character == '\n')
}

/// Writes JSON in which control and invisible characters are escaped.
pub(crate) fn json(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Escaping);
    // This cannot fail: the keys of a `Value`'s maps are text, and the writer is memory.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(text).unwrap_or_default()
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !stays(character) {
            match character {
                '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
                _ => shown.extend(character.escape_unicode()),
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns true for characters that control, separate lines, set the direction or have no width (the Unicode
/// categories Cc, Zl, Zp and Cf).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0001}'
                | '\u{e0020}'..='\u{e007f}'
        )
}

/// Writes hidden characters as JSON escapes in UTF-16 (RFC 8259 §7).
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            let mut buffer = [0; 4];
            if is_hidden(character) {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(character.encode_utf8(&mut buffer).as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Checks the bytes, as a terminal does: no C0 except the line feed, no DEL, no C1, no bidi control.
    fn is_harmless(text: &str) -> bool {
        let bytes = text.as_bytes();
        let control = bytes.iter().any(|byte| (*byte < b' ' && *byte != b'\n') || *byte == 0x7f);
        let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
        let c1 = (0x80..=0x9f).any(|byte| has(&[0xc2, byte]));
        let bidi =
            (0xaa..=0xae).chain([0x8e, 0x8f, 0xa8, 0xa9]).any(|byte| has(&[0xe2, 0x80, byte]));
        let isolate = (0xa6..=0xa9).any(|byte| has(&[0xe2, 0x81, byte]));
        !(control || c1 || bidi || isolate || has(&[0xd8, 0x9c]))
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_as_text() {
        for (text, shown) in [
            ("backup job", "backup job"),
            ("Zoë, 東京, 🔑", "Zoë, 東京, 🔑"),
            ("a\u{1b}[31mred", r"a\u{1b}[31mred"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("a\u{202e}gpj.exe", r"a\u{202e}gpj.exe"),
            ("a\u{9b}31m\u{7f}", r"a\u{9b}31m\u{7f}"),
            ("a\u{2028}b\u{2066}c\u{200b}d\u{feff}", r"a\u{2028}b\u{2066}c\u{200b}d\u{feff}"),
            ("a\u{e0041}", r"a\u{e0041}"),
        ] {
            assert_eq!(one_line(text), shown);
        }
        assert_eq!(lines("a\nb\r"), "a\nb\\r");
    }

    proptest! {
        #[test]
        fn no_text_reaches_the_terminal_as_a_command(text in any::<String>(), odd in "[\\x00-\\x9f\u{2000}-\u{206f}\u{61c}\u{e0000}-\u{e007f}a]{0,20}") {
            for text in [text, odd] {
                prop_assert!(is_harmless(&lines(&text)) && is_harmless(&one_line(&text)));
                prop_assert!(!one_line(&text).contains('\n'));
                let value = json!({ &text: [&text, 1, null] });
                let written = json(&value);
                prop_assert!(is_harmless(&written), "{written:?}");
                prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
            }
        }
    }
}
