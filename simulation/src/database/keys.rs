//! Keys that take no memory: a number for each, from which its digest and record follow.

use tower_api_key::key::{Account, KeyDigest, KeyRecord};

use crate::chance::Chance;

/// The keys of an account.
const KEYS_OF_ACCOUNT: u64 = 10;

/// Keys by number.
#[derive(Debug, Clone, Copy)]
pub struct PaperKeys {
    /// How many there are.
    pub count: u64,
}

impl PaperKeys {
    /// Returns the digest of a key.
    pub fn digest(self, key: u64) -> KeyDigest {
        let mut bytes = [0; 32];
        for (index, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            let word = if index == 3 { key } else { Chance::new(index as u64).number(&[key]) };
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        KeyDigest::from_bytes(bytes)
    }

    /// Returns the key of a digest. Returns `None` if there is none.
    pub fn key(self, digest: &KeyDigest) -> Option<u64> {
        let last = digest.as_bytes().last_chunk().copied().unwrap_or_default();
        let key = u64::from_be_bytes(last);
        (key < self.count && self.digest(key) == *digest).then_some(key)
    }

    /// Returns the record of a key.
    ///
    /// # Panics
    ///
    /// If the record is not valid.
    pub fn record(self, key: u64, revoked: bool) -> KeyRecord {
        let account = Account::builder(format!("account_{}", key / KEYS_OF_ACCOUNT)).build();
        let account = account.expect("the id is valid");
        let record = KeyRecord::builder(format!("key_{key}"), account).revoked(revoked).build();
        record.expect("the id is valid")
    }
}
