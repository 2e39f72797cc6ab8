//! Where the tokens of a JSON text end. The text has been proven to be JSON, so nothing is checked here.

use std::borrow::Cow;

use super::failure::ShapingFailure;

/// Returns the name within quotes, without its escapes.
pub(super) fn unquoted(quoted: &str) -> Result<Cow<'_, str>, ShapingFailure> {
    let within = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = within.filter(|name| !name.contains('\\'));
    plain.map_or_else(
        || serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| ShapingFailure::NotJson),
        |name| Ok(Cow::Borrowed(name)),
    )
}

pub(super) fn one(_: &str) -> usize {
    1
}

/// Measures white space (RFC 8259 §2).
pub(super) fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// Measures a number, `true`, `false` or `null`.
pub(super) fn scalar(text: &str) -> usize {
    text.find([' ', '\t', '\n', '\r', ',', ':', ']', '}', '[', '{', '"']).unwrap_or(text.len())
}

/// Measures a string with its quotes. Its end is the first quote that no backslash escapes.
pub(super) fn string(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    text.len()
}
