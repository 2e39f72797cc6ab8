//! The Basic scheme (RFC 7617). Base64 is read strictly, the first colon splits the pair, and control
//! characters are refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::presented::{KeyBuffer, Parts};
use crate::error::Malformation;
use crate::profile::BasicKey;

/// Decodes `token` into the buffer, and returns the key and perhaps its id from `user:password`.
pub(super) fn parts<'a>(
    token: &[u8],
    rule: BasicKey<'_>,
    buffer: &'a mut KeyBuffer,
) -> Result<Parts<'a>, Malformation> {
    if token.is_empty() {
        return Err(Malformation::Empty);
    }
    // `STANDARD` requires the standard alphabet, canonical padding and zero pad bits.
    let pair = buffer
        .fill(token.len().div_ceil(4) * 3, |decoded| STANDARD.decode_slice(token, decoded))
        .map_err(|_| Malformation::Base64)?;
    // Nearly all pairs are visible ASCII. A few vector instructions check that in one pass.
    if !pair.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
        std::str::from_utf8(pair).map_err(|_| Malformation::Utf8)?;
        if pair.iter().any(u8::is_ascii_control) {
            return Err(Malformation::ControlCharacter);
        }
    }
    let colon = pair.iter().position(|byte| *byte == b':').ok_or(Malformation::NoColon)?;
    let (user, password) = (pair.get(..colon), pair.get(colon + 1..));
    let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
    let key = match rule {
        BasicKey::PasswordOf(expected) if user != expected.as_bytes() => {
            return Err(Malformation::UserName);
        }
        BasicKey::UserOrPassword if password.is_empty() => user,
        BasicKey::UserName => user,
        BasicKey::PasswordOf(_) | BasicKey::UserOrPassword | BasicKey::SecretOfId => password,
    };
    if key.is_empty() {
        return Err(Malformation::Empty);
    }
    let id = (rule == BasicKey::SecretOfId).then_some(user);
    if id.is_some_and(<[u8]>::is_empty) {
        return Err(Malformation::NoId);
    }
    Ok(Parts { key, id })
}

#[cfg(test)]
mod tests {
    use super::super::presented::MAX_CREDENTIAL_BYTES;
    use super::*;

    fn read(token: &str, rule: BasicKey<'_>) -> Result<String, Malformation> {
        let mut buffer = KeyBuffer::new();
        let Parts { key, id } = parts(token.as_bytes(), rule, &mut buffer)?;
        let id = id.map_or_else(Vec::new, |id| [id, b"/"].concat());
        Ok(String::from_utf8([&id, key].concat()).unwrap())
    }

    fn encoded(pair: &[u8], rule: BasicKey<'_>) -> Result<String, Malformation> {
        read(&STANDARD.encode(pair), rule)
    }

    #[test]
    fn base64_is_strict() {
        let api = BasicKey::PasswordOf("api");
        assert_eq!(read("YXBpOktFWQ==", api).as_deref(), Ok("KEY"));
        for token in [
            "YXBpOktFWQ",       // no padding
            "YXBpOktFWQ=",      // too little
            "YXBpOktFWQ===",    // too much
            "YXBpOktFWR==",     // pad bits not zero
            "YXBpOktF WQ==",    // white space
            "YXBpOktFWQ== ",    // at the end
            "YXBpOktF\nWQ==",   // line break
            "YXBpOi0_Pz8_",     // URL alphabet
            "YXBpOktFWQ==YQ==", // padding inside
            "====",
        ] {
            assert_eq!(read(token, api), Err(Malformation::Base64), "{token:?}");
        }
    }

    #[test]
    fn a_key_of_any_length_fits_the_buffer() {
        for length in 1..=MAX_CREDENTIAL_BYTES / 4 * 3 - "api:".len() {
            let key = "k".repeat(length);
            let read = encoded(format!("api:{key}").as_bytes(), BasicKey::PasswordOf("api"));
            assert_eq!(read.as_deref(), Ok(&*key), "{length} bytes");
        }
    }

    #[test]
    fn the_pair_splits_at_the_first_colon() {
        use Malformation::{ControlCharacter, Empty, NoColon, NoId, UserName, Utf8};
        let api = BasicKey::PasswordOf("api");
        let any = BasicKey::UserOrPassword;
        for (pair, rule, expected) in [
            (&b"api:KEY"[..], api, Ok("KEY")),
            (b"api:a:b:", api, Ok("a:b:")),
            (b"api:", api, Err(Empty)),
            (b"API:KEY", api, Err(UserName)),
            (b":KEY", api, Err(UserName)),
            (b"api", api, Err(NoColon)),
            (b"api:K\xffY", api, Err(Utf8)),
            (b"api:K\0Y", api, Err(ControlCharacter)),
            (b"api:KEY\x7f", api, Err(ControlCharacter)),
            (b"api:\nKEY", api, Err(ControlCharacter)),
            ("api:kéy".as_bytes(), api, Ok("kéy")),
            (b"KEY:", any, Ok("KEY")),
            (b":KEY", any, Ok("KEY")),
            (b"anyone:KEY", any, Ok("KEY")),
            (b":", any, Err(Empty)),
            (b"KEY:", BasicKey::UserName, Ok("KEY")),
            (b"KEY:X", BasicKey::UserName, Ok("KEY")),
            (b"KEY:a:b", BasicKey::UserName, Ok("KEY")),
            (b"KEY", BasicKey::UserName, Err(NoColon)),
            (b":KEY", BasicKey::UserName, Err(Empty)),
            (b"KEY:\n", BasicKey::UserName, Err(ControlCharacter)),
            (b"id:KEY", BasicKey::SecretOfId, Ok("id/KEY")),
            (b"id:a:b", BasicKey::SecretOfId, Ok("id/a:b")),
            (b":KEY", BasicKey::SecretOfId, Err(NoId)),
            (b"id:", BasicKey::SecretOfId, Err(Empty)),
            (b"id", BasicKey::SecretOfId, Err(NoColon)),
        ] {
            let read = encoded(pair, rule);
            assert_eq!(read.as_deref(), expected.as_ref().map(|key| *key), "{pair:?}");
        }
    }
}
