//! Digests of keys: the only form in which a key is kept, and the only place where secret-derived
//! bytes are compared.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::slice;

use ctutils::CtEq;
use hmac::{HmacReset, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Identifies a key in every store and cache: all 256 bits of SHA-256, or of HMAC-SHA-256 with a
/// pepper, over the whole text of the key.
///
/// `Debug` prints the first four bytes only: a digest is no key, but a dump of digests is what an
/// offline search starts from.
///
/// ```
/// use tower_api_key::key::{KeyDigest, KeyHasher};
///
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// let column: [u8; 32] = *digest.as_bytes(); // what a store of your own keeps
/// assert_eq!(KeyDigest::from_bytes(column), digest);
/// ```
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Wraps 32 bytes as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits, of either case; `None` for any other text.
    ///
    /// ```
    /// use tower_api_key::key::{KeyDigest, KeyHasher};
    ///
    /// let digest = KeyHasher::sha256().digest(b"the key's text");
    /// assert_eq!(KeyDigest::from_hex(&digest.to_hex()), Some(digest));
    /// assert_eq!(KeyDigest::from_hex("2f2f"), None);
    /// ```
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |character: u8| char::from(character).to_digit(16);
            *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
        }
        Some(Self(bytes))
    }

    /// Writes 64 hexadecimal digits, in lower case: for files and messages, and for no log.
    pub fn to_hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')).collect()
    }

    /// Returns the first eight bytes as a number: as good as random, so a hash for any table.
    pub(crate) fn prefix(&self) -> u64 {
        self.words()[0]
    }

    fn words(&self) -> [u64; 4] {
        let mut words = [0; 4];
        let (chunks, _) = self.0.as_chunks();
        for (word, bytes) in words.iter_mut().zip(chunks) {
            *word = u64::from_be_bytes(*bytes);
        }
        words
    }
}

impl PartialEq for KeyDigest {
    /// Compares all bytes, however many agree. A lookup by digest would be safe even with an early
    /// exit, for a client cannot steer the digest of a key it does not know; this costs nothing.
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.words().into_iter().zip(other.words());
        let difference: u64 = pairs.fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        // Of `difference == 0` the compiler makes a comparison of each word, up to the first that
        // differs; `benches/timing` sees that.
        difference.ct_eq(&0).to_bool()
    }
}

impl Eq for KeyDigest {}

impl Hash for KeyDigest {
    /// Feeds the first eight bytes: they are as good as random already.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.prefix());
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(formatter, "KeyDigest({a:02x}{b:02x}{c:02x}{d:02x}…)")
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
#[error("a pepper needs at least 16 bytes")]
pub struct WeakPepper;

/// Keeps a secret of the deployment that is mixed into every digest, so that a stolen table of
/// digests cannot even be searched for weak foreign keys.
///
/// ```
/// use tower_api_key::key::Pepper;
///
/// // Not a constant, of course: from a file or a secret manager that outlives the keys.
/// let pepper = Pepper::new(*b"32 bytes of the random generator")?;
/// assert_eq!(format!("{pepper:?}"), "Pepper(REDACTED)");
/// # Ok::<(), tower_api_key::key::WeakPepper>(())
/// ```
pub struct Pepper(SecretBox<[u8]>);

impl Pepper {
    /// Takes at least 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`WeakPepper`] if there are fewer.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, WeakPepper> {
        let pepper = Self(SecretBox::new(bytes.into()));
        if pepper.0.expose_secret().len() < 16 {
            return Err(WeakPepper);
        }
        Ok(pepper)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pepper(REDACTED)")
    }
}

/// Computes digests: plain SHA-256, or HMAC-SHA-256 with a pepper.
///
/// No slow password hash: keys carry at least 128 random bits, which no attacker can search.
///
/// ```
/// use tower_api_key::key::{KeyHasher, Pepper};
///
/// # fn main() -> Result<(), tower_api_key::key::WeakPepper> {
/// let plain = KeyHasher::sha256();
/// let peppered = KeyHasher::with_pepper(&Pepper::new(*b"sixteen random b")?);
/// assert_eq!(plain.digest(b"key"), KeyHasher::sha256().digest(b"key"));
/// assert_ne!(plain.digest(b"key"), peppered.digest(b"key"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct KeyHasher {
    // The prepared state saves hashing the pepper for every request.
    peppered: Option<HmacReset<Sha256>>,
}

impl KeyHasher {
    /// Hashes with SHA-256 (FIPS 180-4).
    pub const fn sha256() -> Self {
        Self { peppered: None }
    }

    /// Hashes with HMAC-SHA-256 (RFC 2104) under a pepper.
    pub fn with_pepper(pepper: &Pepper) -> Self {
        // HMAC takes a key of any length, so this is always `Some`.
        let state = HmacReset::new_from_slice(pepper.0.expose_secret());
        Self { peppered: state.ok() }
    }

    /// Computes the digest of a key's whole text.
    pub fn digest(&self, key: &[u8]) -> KeyDigest {
        KeyDigest(match &self.peppered {
            None => sha256(key),
            Some(state) => {
                // In place: what takes a state by value leaves a copy of it, unwiped, with the key.
                let mut state = state.clone();
                state.update(key);
                state.finalize_reset().into_bytes().into()
            }
        })
    }
}

/// The bytes that fit one block of SHA-256 with the padding: a mark, and the length in bits.
const ONE_BLOCK: usize = 64 - 1 - size_of::<u64>();

/// The initial hash value (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Computes SHA-256 (FIPS 180-4).
///
/// Nearly every key fits one block, which is padded here (§5.1.1): the hasher for texts of any length
/// takes 75 ns for 40 bytes, of which the block function is 41.
fn sha256(text: &[u8]) -> [u8; 32] {
    if text.len() > ONE_BLOCK {
        let mut state = Sha256::new();
        Digest::update(&mut state, text);
        return state.finalize_reset().into();
    }
    let mut block = [0; 64];
    if let Some((place, [mark, ..])) = block.split_at_mut_checked(text.len()) {
        place.copy_from_slice(text);
        *mark = 0x80;
    }
    if let Some(length) = block.last_chunk_mut() {
        *length = (text.len() as u64 * 8).to_be_bytes();
    }
    let mut state = INITIAL;
    compress256(&mut state, slice::from_ref(&block));
    block.zeroize();
    let mut digest = [0; 32];
    let (chunks, _) = digest.as_chunks_mut();
    for (chunk, word) in chunks.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    digest
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

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_agree_with_published_vectors() {
        // FIPS 180-4, "abc".
        assert_eq!(KeyHasher::sha256().digest(b"abc").to_hex(), OF_ABC);
        // RFC 4231, test case 1.
        let pepper = Pepper::new([0x0b; 20]).unwrap();
        assert_eq!(
            KeyHasher::with_pepper(&pepper).digest(b"Hi There").to_hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn texts_of_every_length_are_padded_as_the_library_pads_them() {
        let text: Vec<u8> = (0..200).collect();
        for length in 0..text.len() {
            let expected: [u8; 32] = Sha256::digest(&text[..length]).into();
            let digest = KeyHasher::sha256().digest(&text[..length]);
            assert_eq!(digest.as_bytes(), &expected, "{length} bytes");
        }
    }

    #[test]
    fn every_byte_counts_in_a_comparison() {
        let digest = KeyHasher::sha256().digest(b"abc");
        for position in 0..32 {
            let mut bytes = *digest.as_bytes();
            bytes[position] ^= 1;
            assert_ne!(digest, KeyDigest::from_bytes(bytes), "byte {position}");
        }
        assert_eq!(digest, KeyDigest::from_bytes(*digest.as_bytes()));
        // Differences of two words that are the same do not make up for each other.
        let mut bytes = *digest.as_bytes();
        (bytes[0], bytes[8]) = (bytes[0] ^ 1, bytes[8] ^ 1);
        assert_ne!(digest, KeyDigest::from_bytes(bytes));
    }

    #[test]
    fn hexadecimal_digits_are_read_in_either_case_and_nothing_else_is() {
        let digest = KeyHasher::sha256().digest(b"abc");
        let short = &OF_ABC[..62];
        for (text, expected) in [
            (OF_ABC.to_owned(), Some(digest)),
            (OF_ABC.to_ascii_uppercase(), Some(digest)),
            (String::new(), None),
            (short.to_owned(), None),
            (format!("{short}a"), None),
            (format!("{OF_ABC}a"), None),
            (format!("{OF_ABC}ad"), None),
            (format!("{short}ag"), None),
            (format!("{short}+d"), None),
            (format!("0x{short}"), None),
        ] {
            assert_eq!(KeyDigest::from_hex(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_table_spreads_digests_by_their_first_bytes() {
        let digest = KeyHasher::sha256().digest(b"abc");
        assert_eq!(digest.prefix(), 0xba78_16bf_8f01_cfea);
        let tables = std::hash::RandomState::new();
        let hash = |digest: KeyDigest| std::hash::BuildHasher::hash_one(&tables, digest);
        assert_eq!(hash(digest), hash(KeyDigest::from_hex(OF_ABC).unwrap()));
        assert_ne!(hash(digest), hash(KeyDigest::from_bytes([0; 32])));
    }

    #[test]
    fn debug_shows_no_secret() {
        let pepper = Pepper::new(*b"canary canary canary").unwrap();
        let hasher = KeyHasher::with_pepper(&pepper);
        assert_eq!(format!("{pepper:?}"), "Pepper(REDACTED)");
        assert_eq!(format!("{hasher:?}"), "KeyHasher::HmacSha256(REDACTED)");
        assert_eq!(format!("{:?}", KeyHasher::sha256()), "KeyHasher::Sha256");
        assert_eq!(format!("{:?}", KeyHasher::sha256().digest(b"abc")), "KeyDigest(ba7816bf…)");
        assert!(Pepper::new(*b"too short").is_err());
    }
}
