//! `Authorization`, whose scheme chooses the source (RFC 9110 §11.4).

use super::token::is_token;
use crate::error::{ConfigError, Denial, Malformation};

/// The schemes that a profile reads, each with the index of its source.
#[derive(Debug, Clone, Default)]
pub(super) struct Schemes {
    pub(super) basic: Option<usize>,
    pub(super) bearer: Option<usize>,
    pub(super) others: Vec<(Box<str>, usize)>,
}

impl Schemes {
    /// Adds a scheme.
    ///
    /// # Errors
    ///
    /// [`ConfigError::RepeatedCredentialSource`] if another source reads the scheme.
    pub(super) fn add(&mut self, name: &str, source: usize) -> Result<(), ConfigError> {
        let before = if name.eq_ignore_ascii_case("Basic") {
            self.basic.replace(source)
        } else if name.eq_ignore_ascii_case("Bearer") {
            self.bearer.replace(source)
        } else {
            let before = self.other(name.as_bytes());
            self.others.push((name.into(), source));
            before
        };
        match before {
            Some(_) => Err(ConfigError::RepeatedCredentialSource(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Returns true if the profile reads no scheme.
    pub(super) fn is_empty(&self) -> bool {
        self.basic.or(self.bearer).is_none() && self.others.is_empty()
    }

    /// Returns the source of a field value, and what follows the scheme.
    ///
    /// # Errors
    ///
    /// [`Denial::SchemeUnsupported`], or [`Denial::CredentialsMalformed`] without a scheme.
    #[inline]
    pub(super) fn find<'a>(&self, value: &'a [u8]) -> Result<(usize, &'a [u8]), Denial> {
        // Nearly all clients write a scheme as its RFC does, followed by one space.
        let (usual, token) = match value {
            [b'B', b'e', b'a', b'r', b'e', b'r', b' ', token @ ..] => (self.bearer, token),
            [b'B', b'a', b's', b'i', b'c', b' ', token @ ..] => (self.basic, token),
            _ => (None, value),
        };
        match usual.filter(|_| !token.starts_with(b" ")) {
            Some(source) => Ok((source, token)),
            None => self.search(value),
        }
    }

    fn search<'a>(&self, value: &'a [u8]) -> Result<(usize, &'a [u8]), Denial> {
        let (scheme, token) = split(value).map_err(Denial::CredentialsMalformed)?;
        // Schemes are compared without regard to case (RFC 9110 §11.1).
        let source = if scheme.eq_ignore_ascii_case(b"Bearer") {
            self.bearer
        } else if scheme.eq_ignore_ascii_case(b"Basic") {
            self.basic
        } else {
            self.other(scheme)
        };
        Ok((source.ok_or(Denial::SchemeUnsupported)?, token))
    }

    fn other(&self, name: &[u8]) -> Option<usize> {
        let mut others = self.others.iter();
        let found = others.find(|(other, _)| other.as_bytes().eq_ignore_ascii_case(name));
        found.map(|(_, source)| *source)
    }
}

/// Splits `scheme 1*SP credentials` (RFC 9110 §11.4).
fn split(value: &[u8]) -> Result<(&[u8], &[u8]), Malformation> {
    let end = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    if !is_token(scheme) {
        return Err(Malformation::Scheme);
    }
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    Ok((scheme, rest.get(spaces..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_found_in_any_case_and_after_any_spaces() {
        let mut schemes = Schemes::default();
        assert!(schemes.is_empty());
        for (index, name) in ["Basic", "Bearer", "DeepL-Auth-Key", "Token"].iter().enumerate() {
            schemes.add(name, index).unwrap();
            assert!(!schemes.is_empty() && schemes.add(&name.to_uppercase(), 9).is_err(), "{name}");
        }
        let mut schemes = Schemes::default();
        for (index, name) in ["Basic", "Bearer", "DeepL-Auth-Key", "Token"].iter().enumerate() {
            schemes.add(name, index).unwrap();
        }
        let malformed = Denial::CredentialsMalformed(Malformation::Scheme);
        for (value, expected) in [
            (&b"Basic A"[..], Ok((0, &b"A"[..]))),
            (b"bearer   A", Ok((1, b"A"))),
            (b"DeepL-Auth-Key A:fx", Ok((2, b"A:fx"))),
            (b"deepl-auth-key A", Ok((2, b"A"))),
            (b"TOKEN A", Ok((3, b"A"))),
            (b"Token", Ok((3, b""))),
            (b"Token2 A", Err(Denial::SchemeUnsupported)),
            (b"Toke A", Err(Denial::SchemeUnsupported)),
            (b"Token\tA", Err(malformed.clone())),
            (b"Token: A", Err(malformed.clone())),
            (b" Token A", Err(malformed)),
        ] {
            assert_eq!(schemes.find(value), expected, "{value:?}");
        }
    }
}
