//! The function of a digest: SHA-256, or HMAC-SHA-256 with one pepper.

use hmac::{HmacReset, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::digest::KeyDigest;
use super::pepper::Pepper;

/// Computes digests by one pepper, or without one.
#[derive(Clone, Default)]
pub(super) struct HashFunction {
    // Prepared once, so that no request hashes the pepper again.
    peppered: Option<HmacReset<Sha256>>,
}

impl HashFunction {
    /// Uses SHA-256 (FIPS 180-4).
    pub(super) const fn sha256() -> Self {
        Self { peppered: None }
    }

    /// Uses HMAC-SHA-256 (RFC 2104) with a pepper.
    pub(super) fn with_pepper(pepper: &Pepper) -> Self {
        // HMAC takes a key of any length, so this is always `Some`.
        let state = HmacReset::new_from_slice(pepper.expose());
        Self { peppered: state.ok() }
    }

    /// Returns true if the function has a pepper.
    pub(super) const fn is_peppered(&self) -> bool {
        self.peppered.is_some()
    }

    /// Returns the digest of a key's whole text.
    #[inline]
    pub(super) fn digest(&self, key: &[u8]) -> KeyDigest {
        KeyDigest::from_bytes(match &self.peppered {
            // Both work in place. A method that takes the state by value leaves a copy, which holds the
            // key and is not wiped.
            None => {
                let mut state = Sha256::new();
                Digest::update(&mut state, key);
                state.finalize_reset().into()
            }
            Some(state) => {
                let mut state = state.clone();
                state.update(key);
                state.finalize_reset().into_bytes().into()
            }
        })
    }
}
