//! Computes the digests of keys.

use std::fmt;
use std::sync::Arc;

use super::digest::KeyDigest;
use super::hash_function::HashFunction;
use super::name::PepperName;
use super::pepper::Pepper;
use super::peppers::{PepperAge, Peppers};
use crate::clock::Timestamp;

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
    function: HashFunction,
    /// The keyring of the pepper. Only a key that was not found reads it.
    keyring: Option<Arc<Peppers>>,
}

/// A digest by a pepper beside the current one.
#[derive(Clone, Copy)]
pub(crate) struct OtherDigest {
    pub(crate) digest: KeyDigest,
    /// The place of the pepper that is tried after this one.
    pub(crate) following: usize,
    /// Whether a key of this digest should get one by the current pepper.
    pub(crate) is_former: bool,
}

impl KeyHasher {
    /// Creates a hasher that uses SHA-256 (FIPS 180-4).
    pub const fn sha256() -> Self {
        Self { function: HashFunction::sha256(), keyring: None }
    }

    /// Creates a hasher that uses HMAC-SHA-256 (RFC 2104) with a pepper.
    pub fn with_pepper(pepper: &Pepper) -> Self {
        Self { function: HashFunction::with_pepper(pepper), keyring: None }
    }

    /// Creates a hasher that uses HMAC-SHA-256 with the current pepper of a keyring. A gate also finds the keys of the
    /// other peppers. [`Peppers`] has an example.
    pub fn with_peppers(peppers: Peppers) -> Self {
        Self { function: peppers.current.function.clone(), keyring: Some(Arc::new(peppers)) }
    }

    /// Returns the keyring.
    pub fn peppers(&self) -> Option<&Peppers> {
        self.keyring.as_deref()
    }

    /// Returns the name of the pepper in [`digest`](Self::digest). `None` without a keyring.
    pub fn pepper(&self) -> Option<&PepperName> {
        self.keyring.as_ref().map(|keyring| keyring.current())
    }

    /// Returns the digests of a key's whole text by all peppers that have not ended at an instant, in the order in which
    /// a gate looks them up.
    pub fn digests_at(&self, key: &[u8], now: Timestamp) -> impl Iterator<Item = KeyDigest> {
        let others = self.keyring.iter().flat_map(|keyring| &keyring.others);
        let others = others.filter(move |other| other.serves(now));
        let functions = others.map(|other| &other.pepper.function);
        std::iter::once(&self.function).chain(functions).map(move |function| function.digest(key))
    }

    /// Returns true if keys may have digests by other peppers than the current one.
    pub(crate) fn has_others(&self) -> bool {
        self.keyring.as_ref().is_some_and(|keyring| !keyring.others.is_empty())
    }

    /// Returns the digest by the first of the other peppers from this place on that has not ended.
    pub(crate) fn other_digest(
        &self,
        key: &[u8],
        place: usize,
        now: Timestamp,
    ) -> Option<OtherDigest> {
        let mut others = self.keyring.as_ref()?.others.iter().enumerate().skip(place);
        let (place, other) = others.find(|(_, other)| other.serves(now))?;
        Some(OtherDigest {
            digest: other.pepper.function.digest(key),
            following: place + 1,
            is_former: other.age == PepperAge::Former,
        })
    }

    /// Returns the digest of a key's whole text.
    pub fn digest(&self, key: &[u8]) -> KeyDigest {
        self.function.digest(key)
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.function.is_peppered() {
            "KeyHasher::HmacSha256(REDACTED)"
        } else {
            "KeyHasher::Sha256"
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

    #[test]
    fn a_pepper_that_has_ended_is_left_out() {
        let (at, pepper) = (Timestamp::from_unix_seconds, |byte| Pepper::new([byte; 16]).unwrap());
        let peppers = Peppers::builder("4", pepper(4)).former("3", pepper(3));
        let peppers = peppers.former_until("2", pepper(2), at(20)).former_without_pepper("none");
        let hasher = KeyHasher::with_peppers(peppers.build_at(at(10)).unwrap());
        let places = |now| {
            let step = |place: &usize| Some(hasher.other_digest(b"key", *place, now)?.following);
            std::iter::successors(Some(0), step).collect::<Vec<_>>()
        };
        assert_eq!(places(at(19)), [0, 1, 2, 3]);
        assert_eq!(places(at(20)), [0, 1, 3]);
        assert_eq!(hasher.digests_at(b"key", at(19)).count(), 4);
        assert_eq!(hasher.digests_at(b"key", at(20)).count(), 3);
        assert!(hasher.has_others() && !KeyHasher::with_pepper(&pepper(1)).has_others());
        assert_eq!(hasher.digest(b"key"), KeyHasher::with_pepper(&pepper(4)).digest(b"key"));
    }
}
