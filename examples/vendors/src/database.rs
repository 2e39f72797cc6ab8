//! The store of the demo's keys.

use std::sync::Arc;

use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::store::{Cached, KeyManager, KeyStore, ManageError, MemoryStore, StoreError};
use tower_api_key::telemetry::CacheMetrics;
use tower_api_key_sqlx::{PolicySweep, SqlStore};

use crate::usage::Usage;

/// The store of all vendors.
#[derive(Clone)]
pub(crate) struct Database {
    keys: Arc<dyn KeyManager>,
    usage: Option<Usage>,
}

impl Database {
    /// Opens `memory`, `sqlite:FILE` or `postgres://…`.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        if url == "memory" {
            return Ok(Self { keys: Arc::new(MemoryStore::new()), usage: None });
        }
        let database = SqlStore::builder(url).create_if_missing(true).connect().await?;
        let cached = Cached::builder(database.clone()).observer(CacheMetrics::new()).build();
        if let Some(changes) = database.invalidations() {
            tokio::spawn(cached.listen(changes));
        }
        let uses = cached.record_uses(Arc::new(database.clone()));
        let lost = |error: &ManageError| eprintln!("vendors: last uses are not written: {error}");
        tokio::spawn(uses.report_to(lost));
        // Keeps the policies that operators set in the console.
        let sweep = PolicySweep::new(database.clone())?.report_to(|outcome| {
            if let Err(error) = outcome {
                eprintln!("vendors: policies cannot be swept: {error}");
            }
        });
        tokio::spawn(sweep.run());
        Ok(Self { keys: Arc::new(cached), usage: Some(Usage::in_database(database)) })
    }

    /// Returns the usage, which a store in memory does not have.
    pub(crate) const fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Returns the view of one vendor's gate.
    pub(crate) fn of(&self, vendor: &'static str) -> VendorStore {
        VendorStore { keys: Arc::clone(&self.keys), vendor }
    }
}

/// A view of one vendor's keys, in which the keys of other vendors are unknown.
#[derive(Clone)]
pub(crate) struct VendorStore {
    keys: Arc<dyn KeyManager>,
    vendor: &'static str,
}

impl VendorStore {
    pub(crate) fn manager(&self) -> Arc<dyn KeyManager> {
        Arc::clone(&self.keys)
    }

    pub(crate) const fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// Returns the id of a demo key.
    pub(crate) fn id(&self, label: &str) -> String {
        format!("key_{}_{label}", self.vendor)
    }

    fn own(vendor: &str, record: &KeyRecord) -> bool {
        let id = record.id().as_str().strip_prefix("key_");
        let named = id.and_then(|rest| rest.strip_prefix(vendor));
        // Keys of a kind that were issued at run time are Polytomic's.
        named.is_some_and(|rest| rest.starts_with('_'))
            || (vendor == crate::polytomic::VENDOR && record.kind().is_some())
            // The management API issues keys of Persona.
            || (vendor == crate::persona::VENDOR && is_persona(record))
    }
}

/// Returns true for a key with a text of Persona and an id that the management API has made.
fn is_persona(record: &KeyRecord) -> bool {
    let form = record.form().map(ToString::to_string);
    let made = record.id().as_str().strip_prefix("key_").is_some_and(|id| !id.contains('_'));
    made && form.is_some_and(|form| form.starts_with("persona_"))
}

impl KeyStore for VendorStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (keys, vendor, digest) = (Arc::clone(&self.keys), self.vendor, *digest);
        Reply::later(async move {
            let found = keys.find(&digest).await?;
            Ok(found.filter(|record| Self::own(vendor, record)))
        })
    }
}
