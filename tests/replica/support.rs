//! A replica of a fake store, with clocks that a test drives.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, SharedRecord};
use tower_api_key::store::{KeyManager, KeyStore, NewKey, Replica, ReplicaBuilder, StoreError};

use crate::fake::Fake;

pub(crate) const BY: &str = "tests";
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn digest(secret: &str) -> KeyDigest {
    KeyHasher::sha256().digest(secret.as_bytes())
}

pub(crate) fn new_key(id: &str, account: &str) -> NewKey {
    let account = Arc::new(Account::builder(account).build().unwrap());
    NewKey::new(digest(id), KeyRecord::builder(id, account).build().unwrap())
}

pub(crate) async fn add(store: &impl KeyManager, id: &str, account: &str) {
    store.add(new_key(id, account), BY).await.unwrap();
}

/// A replica, its store and its clock. The clock moves with tokio's, unless a test moves it alone.
pub(crate) struct Node {
    pub(crate) store: Fake,
    pub(crate) replica: Replica<Fake>,
    pub(crate) clock: ManualClock,
}

impl Node {
    pub(crate) fn new(store: &Fake) -> Self {
        Self::with(store, |builder| builder)
    }

    pub(crate) fn with(
        store: &Fake,
        describe: impl FnOnce(ReplicaBuilder<Fake>) -> ReplicaBuilder<Fake>,
    ) -> Self {
        let clock = ManualClock::default();
        clock.advance(1_000 * SECOND);
        let builder = Replica::builder(store.clone()).clock(clock.clone()).jitter_seed(7);
        let replica = describe(builder).build().unwrap();
        tokio::spawn(replica.follow());
        Self { store: store.clone(), replica, clock }
    }

    pub(crate) async fn ready(store: &Fake) -> Self {
        let node = Self::new(store);
        node.replica.ready().await;
        node
    }

    pub(crate) async fn find(&self, secret: &str) -> Result<Option<SharedRecord>, StoreError> {
        self.replica.find(&digest(secret)).await
    }

    /// Returns the id that a secret leads to.
    pub(crate) async fn id(&self, secret: &str) -> Option<String> {
        self.find(secret).await.unwrap().map(|record| record.id().to_string())
    }

    /// Returns why a lookup fails.
    pub(crate) async fn refusal(&self, secret: &str) -> String {
        self.find(secret).await.unwrap_err().to_string()
    }

    /// Lets time pass on both clocks, in small steps.
    pub(crate) async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(50);
        let mut left = time;
        while !left.is_zero() {
            let next = step.min(left);
            self.clock.advance(next);
            tokio::time::sleep(next).await;
            left -= next;
        }
    }

    /// Waits until the replica has asked and applied.
    pub(crate) async fn settle(&self) {
        self.pass(2 * SECOND).await;
    }
}
