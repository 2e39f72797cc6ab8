//! The new secret of a key.

use crate::key::{IssuedKey, KeyDigest, PepperName, SecretTail};

/// A secret to give to a key: its digest, and the name of the pepper in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// The digest of the secret.
    pub digest: KeyDigest,
    /// The name of the pepper in the digest. `None` without a keyring.
    pub pepper: Option<PepperName>,
    /// The last characters of the secret. `None` unless the issuer [keeps tails](crate::key::Issuer::keep_tails).
    pub tail: Option<SecretTail>,
}

impl NewSecret {
    /// Describes the secret of a key that was just issued.
    pub fn issued(issued: &IssuedKey) -> Self {
        let (pepper, tail) = (issued.pepper().cloned(), issued.tail());
        Self { digest: *issued.digest(), pepper, tail }
    }
}

impl From<KeyDigest> for NewSecret {
    /// Describes a secret whose pepper has no name.
    fn from(digest: KeyDigest) -> Self {
        Self { digest, pepper: None, tail: None }
    }
}
