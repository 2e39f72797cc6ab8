//! The Bearer scheme (RFC 6750 §2.1).

use crate::error::Malformation;
use crate::key::Alphabet;

/// Checks that `token` is `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
pub(super) fn key(token: &[u8]) -> Result<&[u8], Malformation> {
    let body = token.iter().rposition(|&byte| byte != b'=');
    let body = body.map_or(0, |last| last + 1);
    if body == 0 {
        return Err(Malformation::Empty);
    }
    if token.get(..body).is_some_and(|text| Alphabet::Token.holds(text)) {
        Ok(token)
    } else {
        Err(Malformation::Alphabet)
    }
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
