//! Computes the digests of keys.

use std::fmt;

use hmac::{HmacReset, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::digest::KeyDigest;
use super::pepper::Pepper;

/// Computes the digests of keys: plain SHA-256, or HMAC-SHA-256 with a pepper.
///
/// It is no slow password hash, because issued keys have at least 128 random bits, too many to search.
///
/// ```
/// use tower_api_key::key::{KeyHasher, Pepper};
///
/// let plain = KeyHasher::sha256();
/// let peppered = KeyHasher::with_pepper(&Pepper::new(*b"sixteen random b")?);
/// assert_eq!(plain.digest(b"key"), KeyHasher::sha256().digest(b"key"));
/// assert_ne!(plain.digest(b"key"), peppered.digest(b"key"));
/// # Ok::<(), tower_api_key::key::WeakPepper>(())
/// ```
#[derive(Clone, Default)]
pub struct KeyHasher {
    // Prepared once, so that no request hashes the pepper again.
    peppered: Option<HmacReset<Sha256>>,
}

impl KeyHasher {
    /// Creates a hasher that uses SHA-256 (FIPS 180-4).
    pub const fn sha256() -> Self {
        Self { peppered: None }
    }

    /// Creates a hasher that uses HMAC-SHA-256 (RFC 2104) with a pepper.
    pub fn with_pepper(pepper: &Pepper) -> Self {
        // HMAC takes a key of any length, so this is always `Some`.
        let state = HmacReset::new_from_slice(pepper.expose());
        Self { peppered: state.ok() }
    }

    /// Returns the digest of a key's whole text.
    pub fn digest(&self, key: &[u8]) -> KeyDigest {
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

impl fmt::Debug for KeyHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.peppered {
            None => "KeyHasher::Sha256",
            Some(_) => "KeyHasher::HmacSha256(REDACTED)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_agree_with_published_vectors() {
        let sha256 = KeyHasher::sha256();
        // FIPS 180-4: one block, two blocks, and the empty text.
        for (text, expected) in [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ] {
            assert_eq!(sha256.digest(text.as_bytes()).to_hex(), expected, "{text}");
        }
        // RFC 4231, test case 1.
        let pepper = Pepper::new([0x0b; 20]).unwrap();
        assert_eq!(
            KeyHasher::with_pepper(&pepper).digest(b"Hi There").to_hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let pepper = Pepper::new(*b"canary canary canary").unwrap();
        let hasher = KeyHasher::with_pepper(&pepper);
        assert_eq!(format!("{hasher:?}"), "KeyHasher::HmacSha256(REDACTED)");
        assert_eq!(format!("{:?}", KeyHasher::sha256()), "KeyHasher::Sha256");
    }
}
