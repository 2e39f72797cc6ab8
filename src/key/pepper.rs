//! The pepper: a secret of the deployment that is mixed into the digests of its keys.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

/// Holds a secret of the deployment that is mixed into every digest.
///
/// Without the pepper, a stolen table of digests cannot be searched, not even for weak keys that came
/// from another issuer.
///
/// ```
/// use tower_api_key::key::Pepper;
///
/// // In production, read it from a file or a secret manager that outlives the keys.
/// let pepper = Pepper::new(*b"32 bytes of the random generator")?;
/// assert_eq!(format!("{pepper:?}"), "Pepper(REDACTED)");
/// # Ok::<(), tower_api_key::key::WeakPepper>(())
/// ```
pub struct Pepper(SecretBox<[u8]>);

impl Pepper {
    /// Creates a pepper from at least 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`WeakPepper`] if there are fewer than 16 bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, WeakPepper> {
        let pepper = Self(SecretBox::new(bytes.into()));
        if pepper.0.expose_secret().len() < 16 {
            return Err(WeakPepper);
        }
        Ok(pepper)
    }

    /// Returns the secret bytes.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pepper(REDACTED)")
    }
}

/// Reports a pepper shorter than 16 bytes.
///
/// ```
/// use tower_api_key::key::{Pepper, WeakPepper};
///
/// assert_eq!(Pepper::new(*b"too short").unwrap_err(), WeakPepper);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pepper must have at least 16 random bytes")]
pub struct WeakPepper;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pepper_is_refused_and_none_is_shown() {
        let pepper = Pepper::new(*b"canary canary canary").unwrap();
        assert_eq!(format!("{pepper:?}"), "Pepper(REDACTED)");
        assert!(Pepper::new([7; 16]).is_ok());
        assert_eq!(Pepper::new([7; 15]).unwrap_err(), WeakPepper);
    }
}
