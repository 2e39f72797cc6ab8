//! How texts and facts are written into a body or a header. Clients choose some facts, so no fact may end the
//! string, the line or the element in which it stands.

use std::fmt::Write;

/// The most bytes of a request's method or path in an answer.
const LONGEST: usize = 512;

/// What a text becomes a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFormat {
    /// A string of JSON.
    Json,
    /// Plain text, or the message of a gRPC call.
    Plain,
    /// Text with a type of the vendor's own, as HTML or XML.
    Markup,
    /// The value of a header.
    Header,
}

impl TextFormat {
    /// Writes a text of the profile.
    pub(super) fn write_own(self, text: &str, target: &mut String) {
        match self {
            Self::Json => target.push_str(unquoted(&quoted(text))),
            Self::Plain | Self::Markup | Self::Header => target.push_str(text),
        }
    }

    /// Writes a method or a path of the client's, which begins no element and no parameter of a header's list
    /// (RFC 9110 §5.6).
    pub(super) fn write_of_request(self, fact: &str, target: &mut String) {
        let is_plain = |byte| is_of_a_header(byte) && !matches!(byte, b';' | b',');
        match self {
            Self::Header => write_encoded(fact, is_plain, target),
            Self::Json | Self::Plain | Self::Markup => self.write_fact(fact, target),
        }
    }

    /// Writes a fact.
    pub(super) fn write_fact(self, fact: &str, target: &mut String) {
        match self {
            Self::Json => write_json(fact, target),
            Self::Plain => target.extend(fact.chars().map(harmless)),
            Self::Markup => fact.chars().for_each(|character| write_markup(character, target)),
            Self::Header => write_encoded(fact, is_of_a_header, target),
        }
    }
}

/// Returns a method or a path that the client chose, in characters that a path may have (RFC 3986 §3.3), without
/// `'` and `&`. Cuts a long text between two characters, and returns true if it did.
pub(super) fn of_request(text: &str) -> (String, bool) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/:@!$()*+,;=".contains(&byte);
    let mut encoded = String::new();
    for (index, character) in text.char_indices() {
        let is_escape = matches!(
            text.as_bytes().get(index..index + 3),
            Some([b'%', high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
        );
        let whole = encoded.len();
        write_encoded(character.encode_utf8(&mut [0; 4]), is_plain, &mut encoded);
        // The digits of an escape follow it.
        if encoded.len() + if is_escape { 2 } else { 0 } > LONGEST {
            encoded.truncate(whole);
            return (encoded, true);
        }
    }
    (encoded, false)
}

/// Writes a JSON string (RFC 8259 §7).
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default()
}

/// Writes a fact into a JSON string. Also escapes what HTML and JavaScript read, in case that a page includes the
/// answer.
fn write_json(fact: &str, target: &mut String) {
    for character in unquoted(&quoted(fact)).chars() {
        if matches!(character, '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}') {
            // Writing to a string never fails.
            let _ = write!(target, "\\u{:04x}", u32::from(character));
        } else {
            target.push(character);
        }
    }
}

/// Replaces control characters, characters that change the direction of writing, and the brackets of HTML.
fn harmless(character: char) -> char {
    let is_harmful = character.is_control()
        || matches!(
            character,
            '<' | '>' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
    if is_harmful { char::REPLACEMENT_CHARACTER } else { character }
}

/// Writes a character of a fact between the marks of HTML or XML, or into one of their attributes.
fn write_markup(character: char, target: &mut String) {
    match character {
        '&' => target.push_str("&amp;"),
        '<' => target.push_str("&lt;"),
        '>' => target.push_str("&gt;"),
        '"' => target.push_str("&quot;"),
        '\'' => target.push_str("&#39;"),
        other => target.push(harmless(other)),
    }
}

/// Returns true for blanks and visible ASCII, without what ends a quoted string or a link.
const fn is_of_a_header(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'<' | b'>' | b'\\')
}

/// Percent-encodes all other bytes (RFC 3986 §2.1).
pub(super) fn write_encoded(text: &str, is_plain: impl Fn(u8) -> bool, target: &mut String) {
    for byte in text.bytes() {
        if is_plain(byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_escaped_for_their_format() {
        let hostile = "a\"\\<b>&'\r\n\u{7f}\u{202e}\u{2028}\u{e9}";
        for (format, expected) in [
            (
                TextFormat::Json,
                "a\\\"\\\\\\u003cb\\u003e\\u0026\\u0027\\r\\n\u{7f}\u{202e}\\u2028\u{e9}",
            ),
            (
                TextFormat::Plain,
                "a\"\\\u{fffd}b\u{fffd}&'\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{e9}",
            ),
            (
                TextFormat::Markup,
                "a&quot;\\&lt;b&gt;&amp;&#39;\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{e9}",
            ),
            (TextFormat::Header, "a%22%5C%3Cb%3E&'%0D%0A%7F%E2%80%AE%E2%80%A8%C3%A9"),
        ] {
            let mut written = String::new();
            format.write_fact(hostile, &mut written);
            assert_eq!(written, expected, "{format:?}");
        }
    }

    #[test]
    fn a_path_begins_no_element_or_parameter_of_a_header() {
        for (format, expected) in [
            (TextFormat::Json, "/a,b;c=d%2C"),
            (TextFormat::Plain, "/a,b;c=d%2C"),
            (TextFormat::Header, "/a%2Cb%3Bc=d%2C"),
        ] {
            let mut written = String::new();
            format.write_of_request("/a,b;c=d%2C", &mut written);
            assert_eq!(written, expected, "{format:?}");
        }
    }

    #[test]
    fn what_the_client_chose_is_short_and_of_a_path() {
        for (text, expected) in [
            ("/v1/users/a%20b", "/v1/users/a%20b"),
            ("/<script>'\"&{}|\\^`", "/%3Cscript%3E%27%22%26%7B%7D%7C%5C%5E%60"),
            ("/\u{e9}\r\n", "/%C3%A9%0D%0A"),
        ] {
            assert_eq!(of_request(text), (expected.to_owned(), false));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_escapes_and_not_read_further() {
        let of = |length| "a".repeat(length);
        for (text, length, is_cut) in [
            (of(LONGEST), LONGEST, false),
            (of(LONGEST + 1), LONGEST, true),
            // 512 is no multiple of 3, and an escape of UTF-8 is whole only with all bytes of a character.
            ("&".repeat(170), 510, false),
            ("&".repeat(60_000), 510, true),
            ("%26".repeat(20_000), 510, true),
            (of(1) + &"%26".repeat(20_000), 511, true),
            (of(510) + "%%26", 511, true),
            (of(510) + "%2", LONGEST, false),
            (of(510) + "%2g", LONGEST, true),
            (of(509) + "%26", LONGEST, false),
            ("\u{e9}".repeat(LONGEST), 510, true),
            (of(507) + "\u{e9}", 507, true),
        ] {
            let (encoded, cut) = of_request(&text);
            assert_eq!((encoded.len(), cut), (length, is_cut), "{encoded}");
            assert!(encoded.capacity() <= 2 * LONGEST);
        }
    }
}
