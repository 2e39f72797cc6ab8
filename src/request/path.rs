//! Ambiguous paths, which two readers can read differently.

/// Returns true if a path can be read in one way only, so that the gate and the service behind it agree
/// on the route.
///
/// Such a path has no empty segment, no dot segment and no backslash. It has no `;`, because some
/// servers cut off parameters before they route. What it has percent-encoded is UTF-8, and no letter,
/// digit, dot or separator that another reader could decode (RFC 3986 §6.2.2).
pub(crate) fn is_unambiguous(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    // One pass over the bytes shows that most paths need no check of their segments.
    let mut before = b'/';
    let plain = rest.bytes().all(|byte| {
        let begins = std::mem::replace(&mut before, byte) == b'/';
        let suspicious = matches!(byte, b'%' | b'\\' | b';');
        !suspicious && (!begins || !matches!(byte, b'/' | b'.'))
    });
    plain || is_unambiguous_by_segment(rest)
}

fn is_unambiguous_by_segment(rest: &str) -> bool {
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        // A path may end in a slash, which makes it another path.
        if (segment.is_empty() && !last) || matches!(segment, "." | "..") {
            return false;
        }
        if segment.contains(['\\', ';']) || (segment.contains('%') && !is_plainly_encoded(segment))
        {
            return false;
        }
    }
    true
}

fn is_plainly_encoded(segment: &str) -> bool {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => match decode(*high, *low) {
                Some(byte) if !changes_the_route(byte) => (byte, tail),
                _ => return false,
            },
            (b'%', _) => return false,
            _ => (byte, tail),
        };
        decoded.push(byte);
        rest = tail;
    }
    // An overlong encoding of a dot or a slash is not UTF-8, but some decoders accept it.
    std::str::from_utf8(&decoded).is_ok()
}

/// Decodes the two digits of a percent-encoded byte.
pub(super) fn decode(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Returns true if a percent-encoded text decodes to another text. It is decoded once, byte by byte. A
/// wrong encoding decodes to no text.
pub(crate) fn decodes_to(encoded: &str, text: &str) -> bool {
    if !encoded.contains('%') {
        return encoded == text;
    }
    let (mut rest, mut expected) = (encoded.as_bytes(), text.bytes());
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => (decode(*high, *low), tail),
            (b'%', _) => return false,
            _ => (Some(byte), tail),
        };
        if byte.is_none() || byte != expected.next() {
            return false;
        }
        rest = tail;
    }
    expected.next().is_none()
}

/// Returns true for a byte whose encoded form some servers decode before they route.
///
/// Encoded unreserved characters are equivalent to bare ones. Separators are not, but some
/// servers decode them too. Some servers cut off what follows a `?`, a `#` or a control character, or skip the
/// control character.
const fn changes_the_route(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_control()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'\\' | b'%' | b';' | b'?' | b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_once() {
        for (encoded, text, same) in [
            ("acme", "acme", true),
            ("acme@corp.example", "acme@corp.example", true),
            ("acme%40corp.example", "acme@corp.example", true),
            ("auth0%7C5f7c", "auth0|5f7c", true),
            ("auth0%7c5f7c", "auth0|5f7c", true),
            ("a+b", "a+b", true),
            ("a%2Bb", "a+b", true),
            ("a+b", "a b", false),
            ("caf%C3%A9", "caf\u{e9}", true),
            ("caf%E9", "caf\u{e9}", false),
            ("a%2540b", "a@b", false),
            ("a%2540b", "a%40b", true),
            ("a%40b", "a%40b", false),
            ("a%40", "a@b", false),
            ("a%40b", "a@", false),
            ("%", "%", false),
            ("a%4", "a@", false),
            ("a%zz", "a%zz", false),
            ("a%+4", "a\u{4}", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(decodes_to(encoded, text), same, "{encoded} {text}");
        }
    }

    #[test]
    fn ambiguous_paths_differ_from_plain_ones() {
        for (path, plain) in [
            ("/", true),
            ("/v1/users", true),
            ("/v1/users/", true),
            ("/v1/a%20b", true),
            ("/v1/caf%C3%A9", true),
            ("/rest/users/where/internal_id=7", true),
            ("/v1/...", true),
            ("", false),
            ("*", false),
            ("v1", false),
            ("//", false),
            ("/v1//users", false),
            ("/v1/./users", false),
            ("/v1/../users", false),
            ("/v1/..", false),
            ("/v1/%2e%2e/users", false),
            ("/v1/%75sers", false),
            ("/v1%2Fusers", false),
            ("/v1%5cusers", false),
            ("/v1\\users", false),
            ("/v1/%00", false),
            ("/v1/%2525", false),
            ("/v1/users%3Fx", false),
            ("/v1/users%23x", false),
            ("/v1/%zz", false),
            ("/v1/%4", false),
            ("/v1/%", false),
            ("/v1/a;b=c", false),
            ("/v1/..;/users", false),
            ("/v1/..;x=1/users", false),
            ("/v1/.;", false),
            ("/v1/;/users", false),
            ("/v1/;", false),
            ("/v1/..%3B/users", false),
            ("/v1/%c0%ae%c0%ae/users", false),
            ("/v1/%e0%80%af", false),
            ("/v1/%ff", false),
        ] {
            assert_eq!(is_unambiguous(path), plain, "{path}");
        }
    }
}
