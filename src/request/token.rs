//! Tokens (RFC 9110 §5.6.2): names of schemes and parameters.

/// Returns true if a text is a `token`, `1*tchar`.
pub(crate) fn is_token(text: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characters_of_a_token_are_those_of_the_rfc() {
        let tchars =
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for byte in 0..=u8::MAX {
            assert_eq!(is_token(&[byte]), tchars.as_bytes().contains(&byte), "{byte:#x}");
        }
        assert!(is_token(tchars.as_bytes()) && !is_token(b"") && !is_token(b"a b"));
    }
}
