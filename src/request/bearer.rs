//! The Bearer scheme (RFC 6750 §2.1).

use crate::denial::Malformation;

/// Checks that `token` is `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
pub(super) fn key(token: &[u8]) -> Result<&[u8], Malformation> {
    let body = token.iter().rposition(|&byte| byte != b'=');
    let body = body.map_or(0, |last| last + 1);
    if body == 0 {
        return Err(Malformation::Empty);
    }
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    if !token.iter().take(body).all(allowed) {
        return Err(Malformation::Alphabet);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_follow_the_grammar() {
        use Malformation::{Alphabet, Empty};
        for (token, expected) in [
            ("abcXYZ019-._~+/", Ok(())),
            ("abc==", Ok(())),
            ("", Err(Empty)),
            ("==", Err(Empty)),
            ("a=b", Err(Alphabet)),
            ("a b", Err(Alphabet)),
            ("a,b", Err(Alphabet)),
            ("a\tb", Err(Alphabet)),
            ("a\"", Err(Alphabet)),
            ("ä", Err(Alphabet)),
        ] {
            let read = key(token.as_bytes());
            assert_eq!(read, expected.map(|()| token.as_bytes()), "{token:?}");
        }
    }
}
