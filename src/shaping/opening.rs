//! How a body begins whose media type does not say whether it is JSON.

/// Bytes that may stand before JSON: white space, byte order marks, and the zeros of UTF-16 and UTF-32.
const BEFORE: &[u8] = b" \t\n\r\x0b\x0c\0\xef\xbb\xbf\xfe\xff";

/// How a body begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Nothing has come but what may stand before JSON.
    Blank,
    /// As an object or an array.
    Json,
    /// As neither of them.
    Other,
}

impl Opening {
    /// Looks at the first byte that can decide.
    pub(super) fn of(data: &[u8]) -> Self {
        match data.iter().find(|byte| !BEFORE.contains(byte)) {
            None => Self::Blank,
            Some(b'{' | b'[') => Self::Json,
            Some(_) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_first_sign() {
        for (data, expected) in [
            (&b""[..], Opening::Blank),
            (b" \t\r\n", Opening::Blank),
            (b"\xef\xbb", Opening::Blank),
            (b"{", Opening::Json),
            (b" \n[1]", Opening::Json),
            (b"\xef\xbb\xbf {", Opening::Json),
            (b"\xfe\xff\0{", Opening::Json),
            (b"\xff\xfe{\0", Opening::Json),
            (b"\0\0\0[", Opening::Json),
            (b"hello {", Opening::Other),
            (b"\xe2\x82\xac", Opening::Other),
            (b"\x89PNG", Opening::Other),
        ] {
            assert_eq!(Opening::of(data), expected, "{data:?}");
        }
    }
}
