//! Digests of keys. A store keeps a key only as its digest. Only this module compares bytes that are
//! derived from a secret.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use subtle::ConstantTimeEq;

/// Identifies a key in every store and cache.
///
/// A digest is all 256 bits of SHA-256 over the key's whole text, or of HMAC-SHA-256 with a
/// [`Pepper`](super::Pepper).
///
/// `Debug` prints the first four bytes only. A digest is no key, but an offline search for keys starts
/// from a dump of digests.
///
/// ```
/// use tower_api_key::key::{KeyDigest, KeyHasher};
///
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// let column: [u8; 32] = *digest.as_bytes(); // to be written to your own store
/// assert_eq!(KeyDigest::from_bytes(column), digest);
/// ```
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Creates a digest from the 32 bytes that a store kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns 64 hexadecimal digits in lower case, for files and messages but not for logs. For that
    /// reason the type has no `Display`. [`FromStr`] reads the digits.
    ///
    /// ```
    /// use tower_api_key::key::{KeyDigest, KeyHasher};
    ///
    /// let digest = KeyHasher::sha256().digest(b"the key's text");
    /// assert_eq!(digest.to_hex().parse(), Ok(digest));
    /// assert!("2f2f".parse::<KeyDigest>().is_err());
    /// ```
    pub fn to_hex(&self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')).collect()
    }

    /// Returns the first eight bytes as a number. They are as good as random, so a table can use them
    /// as a hash.
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

impl FromStr for KeyDigest {
    type Err = InvalidDigest;

    /// Reads 64 hexadecimal digits in either case.
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(InvalidDigest);
        }
        let digit = |character: u8| char::from(character).to_digit(16);
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digits = digit(*high).zip(digit(*low)).ok_or(InvalidDigest)?;
            *byte = u8::try_from(digits.0 * 16 + digits.1).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl PartialEq for KeyDigest {
    /// Compares all 32 bytes, however many are equal. An early exit would be safe for a lookup, because
    /// a client cannot steer the digest of a key that it does not know. The full comparison costs
    /// nothing.
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.words().into_iter().zip(other.words());
        let difference: u64 = pairs.fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        // The compiler turns `difference == 0` into a branch for each word, which stops at the first
        // difference. `benches/timing` fails then.
        difference.ct_eq(&0).into()
    }
}

impl Eq for KeyDigest {}

impl Hash for KeyDigest {
    /// Hashes the first eight bytes only, because they are as good as random.
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

/// Reports a text that is not a digest. The error does not repeat the text.
///
/// ```
/// use tower_api_key::key::KeyDigest;
///
/// let error = "2f2f".parse::<KeyDigest>().unwrap_err();
/// assert_eq!(error.to_string(), "a digest must be 64 hexadecimal digits");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest must be 64 hexadecimal digits")]
pub struct InvalidDigest;

#[cfg(test)]
mod tests {
    use super::super::hasher::KeyHasher;
    use super::*;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn every_byte_counts_in_a_comparison() {
        let digest = KeyHasher::sha256().digest(b"abc");
        for position in 0..32 {
            let mut bytes = *digest.as_bytes();
            bytes[position] ^= 1;
            assert_ne!(digest, KeyDigest::from_bytes(bytes), "byte {position}");
        }
        assert_eq!(digest, KeyDigest::from_bytes(*digest.as_bytes()));
        // Two words with the same difference do not cancel each other out.
        let mut bytes = *digest.as_bytes();
        (bytes[0], bytes[8]) = (bytes[0] ^ 1, bytes[8] ^ 1);
        assert_ne!(digest, KeyDigest::from_bytes(bytes));
    }

    #[test]
    fn hexadecimal_digits_are_read_in_either_case_and_nothing_else_is() {
        let digest = KeyHasher::sha256().digest(b"abc");
        let short = &OF_ABC[..62];
        for (text, expected) in [
            (OF_ABC.to_owned(), Ok(digest)),
            (OF_ABC.to_ascii_uppercase(), Ok(digest)),
            (String::new(), Err(InvalidDigest)),
            (short.to_owned(), Err(InvalidDigest)),
            (format!("{short}a"), Err(InvalidDigest)),
            (format!("{OF_ABC}a"), Err(InvalidDigest)),
            (format!("{OF_ABC}ad"), Err(InvalidDigest)),
            (format!("{short}ag"), Err(InvalidDigest)),
            (format!("{short}+d"), Err(InvalidDigest)),
            (format!("0x{short}"), Err(InvalidDigest)),
        ] {
            assert_eq!(text.parse::<KeyDigest>(), expected, "{text}");
        }
    }

    #[test]
    fn a_table_spreads_digests_by_their_first_bytes() {
        let digest = KeyHasher::sha256().digest(b"abc");
        assert_eq!(digest.prefix(), 0xba78_16bf_8f01_cfea);
        let tables = std::hash::RandomState::new();
        let hash = |digest: KeyDigest| std::hash::BuildHasher::hash_one(&tables, digest);
        assert_eq!(hash(digest), hash(OF_ABC.parse().unwrap()));
        assert_ne!(hash(digest), hash(KeyDigest::from_bytes([0; 32])));
    }

    #[test]
    fn debug_shows_the_beginning_alone() {
        let digest: KeyDigest = OF_ABC.parse().unwrap();
        assert_eq!(format!("{digest:?}"), "KeyDigest(ba7816bf…)");
    }
}
