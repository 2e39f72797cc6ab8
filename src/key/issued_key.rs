//! A key that was just issued: its secret, and what a store keeps of it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::digest::KeyDigest;
use super::form::KeyForm;
use super::name::PepperName;
use super::tail::SecretTail;

/// Holds a new key: its secret text, which is wiped on drop, and the digest to store.
///
/// ```
/// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
///
/// let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None)?;
/// assert_eq!(issued.expose().len(), 40);
/// assert!(format!("{issued:?}").contains("REDACTED"), "a log line shows no secret");
/// # Ok::<(), tower_api_key::key::IssueError>(())
/// ```
pub struct IssuedKey {
    pub(super) secret: SecretString,
    pub(super) digest: KeyDigest,
    pub(super) pepper: Option<PepperName>,
    pub(super) form: KeyForm,
    pub(super) tail: Option<SecretTail>,
}

impl IssuedKey {
    /// Returns the key's text. Show it to its owner once, and keep it nowhere.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// Returns the key's text as a [`SecretString`], for code that uses the crate `secrecy`.
    pub const fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Returns the digest, which the store keeps.
    pub const fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    /// Returns the name of the pepper in the digest. `None` if the issuer's hasher has no
    /// [keyring](super::Peppers).
    pub const fn pepper(&self) -> Option<&PepperName> {
        self.pepper.as_ref()
    }

    /// Returns the form of the key's text. Keep it in the [record](super::KeyRecordBuilder::form), so
    /// that a rotation issues another key of the same form.
    pub const fn form(&self) -> &KeyForm {
        &self.form
    }

    /// Returns the last 4 characters of the key's text, if the issuer [keeps tails](super::Issuer::keep_tails) and they are
    /// random ones or a checksum.
    pub const fn tail(&self) -> Option<SecretTail> {
        self.tail
    }
}

impl fmt::Debug for IssuedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IssuedKey")
            .field("secret", &"REDACTED")
            .field("digest", &self.digest)
            .field("pepper", &self.pepper)
            .field("form", &format_args!("{}", self.form))
            .finish_non_exhaustive()
    }
}
