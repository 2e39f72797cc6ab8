//! Keys that a partner issues to users while the demo runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;
use tower_api_key::vendors::polytomic::ORGANIZATION;

use crate::Failure;
use crate::organizations::{Organization, User};

/// Issues keys into the running store, and knows whose they are.
#[derive(Clone)]
pub(crate) struct UserKeys {
    issuer: Issuer,
    store: MemoryStore,
    issued: Arc<Mutex<Issued>>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    /// The ids of each user's keys.
    keys: HashMap<&'static str, Vec<String>>,
}

impl UserKeys {
    pub(crate) fn new(format: &KeyFormat, store: MemoryStore) -> Self {
        Self { issuer: Issuer::new(*format, KeyHasher::sha256()), store, issued: Arc::default() }
    }

    /// Issues a key of the organization to a user, from the operating system's random source. With
    /// `force` every earlier key of the user ends first; the lock is held all the while, so that of
    /// two such calls at once one key is left.
    pub(crate) fn issue(
        &self,
        organization: &Organization,
        user: &'static User,
        force: bool,
    ) -> Result<String, Failure> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.issuer.issue(None)?;
        issued.count += 1;
        let id = format!("key_issued_{}", issued.count);
        let account = Arc::new(Account::builder(organization.id).build()?);
        let record = KeyRecord::builder(&id, account)
            .kind(ORGANIZATION)
            .name(format!("issued to {}", user.name))
            .build()?;
        // Nothing can fail from here on, so no user loses keys without getting one.
        let keys = issued.keys.entry(user.id).or_default();
        if force {
            for earlier in keys.drain(..) {
                self.store.remove(&earlier);
            }
        }
        self.store.insert(*key.digest(), record);
        keys.push(id);
        Ok(key.secret().expose_secret().to_owned())
    }
}
