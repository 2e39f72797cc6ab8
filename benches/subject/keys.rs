//! Keys, ten to an account, and the store that knows them.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tower_api_key::key::{Account, Alphabet, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

/// Keys that are used over and over stay in the cache.
pub(crate) const HOT: usize = 64;
/// Keys of one account.
pub(crate) const KEYS_PER_ACCOUNT: usize = 10;

/// Keys of 40 characters, one block of SHA-256.
pub(crate) const FORMAT: KeyFormat =
    KeyFormat::new().literal("acme_").characters(Alphabet::Base62, 29).checksum();

/// Keys and the store that knows them.
pub(crate) struct Keys {
    pub(crate) store: MemoryStore,
    pub(crate) texts: Vec<String>,
}

impl Keys {
    /// Issues keys, ten to an account that may read and write users.
    pub(crate) fn issue(count: usize, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let store = MemoryStore::new();
        let mut texts = Vec::with_capacity(count);
        let mut account = None;
        for index in 0..count {
            if index % KEYS_PER_ACCOUNT == 0 {
                account = Some(self::account(index / KEYS_PER_ACCOUNT));
            }
            let Some(account) = &account else { continue };
            let text = key(&mut random);
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(account)).build();
            let digest = KeyHasher::sha256().digest(text.as_bytes());
            store.add_now(digest, record.expect("valid"));
            texts.push(text);
        }
        Self { store, texts }
    }

    /// Returns the keys of [`HOT`] accounts, one of each.
    pub(crate) fn hot(&self) -> Vec<&String> {
        self.texts.iter().step_by(KEYS_PER_ACCOUNT).take(HOT).collect()
    }
}

pub(crate) fn account(index: usize) -> Arc<Account> {
    let account =
        Account::builder(format!("account_{index}")).scopes(["users.read", "users.write"]);
    Arc::new(account.build().expect("valid"))
}

/// Makes the text of a key that looks like an issued one.
pub(crate) fn key(random: &mut SmallRng) -> String {
    let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
    let issued = issuer.insecure_issue_from(None, |bytes| {
        random.fill_bytes(bytes);
        Ok(())
    });
    issued.expect("the format is strong").expose().to_owned()
}
