//! The last characters of a secret, by which people tell keys apart.

use std::fmt;
use std::str::FromStr;

/// The number of characters in a tail.
const LENGTH: usize = 4;

/// Holds the last 4 characters of a secret, so that people can tell which of their keys they have before them.
///
/// A store keeps a tail only if the [issuer keeps tails](super::Issuer::keep_tails). Who reads the store then learns up to
/// 27 random bits of each key, of which it has at least 128.
///
/// ```
/// use tower_api_key::key::SecretTail;
///
/// let tail = SecretTail::new("x7Qa")?;
/// assert_eq!(tail.to_string(), "x7Qa");
/// assert!(SecretTail::new("the whole secret").is_err());
/// # Ok::<(), tower_api_key::key::InvalidTail>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretTail([u8; LENGTH]);

/// Reports a text that is no tail of a secret. The error does not repeat the text, which may be a whole secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tail of a secret must be its last 4 characters, all of them visible ASCII")]
pub struct InvalidTail;

impl SecretTail {
    /// Creates a tail from 4 visible ASCII characters.
    ///
    /// # Errors
    ///
    /// [`InvalidTail`] for any other text.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidTail> {
        let bytes = <[u8; LENGTH]>::try_from(text.as_ref().as_bytes()).map_err(|_| InvalidTail)?;
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        visible.then_some(Self(bytes)).ok_or(InvalidTail)
    }

    /// Returns the tail of a secret. `None` if it has fewer characters.
    pub(super) fn of(secret: &[u8]) -> Option<Self> {
        let tail = secret.last_chunk::<LENGTH>()?;
        tail.iter().all(u8::is_ascii_graphic).then_some(Self(*tail))
    }

    /// Returns the tail as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SecretTail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for SecretTail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for SecretTail {
    type Err = InvalidTail;

    fn from_str(text: &str) -> Result<Self, InvalidTail> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_has_four_visible_characters() {
        for (text, is_one) in [
            ("x7Qa", true),
            ("-_.~", true),
            ("x7Q", false),
            ("x7Qab", false),
            ("x7Q ", false),
            ("x7\n\0", false),
            ("é7Q", false),
            ("", false),
        ] {
            assert_eq!(SecretTail::new(text).is_ok(), is_one, "{text:?}");
        }
        assert_eq!(SecretTail::of(b"key_abcdefgh").unwrap().as_str(), "efgh");
        assert_eq!(SecretTail::of(b"abc"), None);
    }
}
