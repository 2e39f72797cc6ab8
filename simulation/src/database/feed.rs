//! The feed from which a replica copies the database.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tower_api_key::key::{KeyDigest, KeyId};
use tower_api_key::store::{
    FeedAnswer, FeedChange, FeedChanges, FeedFuture, FeedPage, FeedPosition, FeedSecret,
    Invalidations, KeyFeed, StoreError,
};

use super::listener::Listener;
use super::server::{Database, History};

/// The records of a page.
const PAGE: usize = 1_000;

/// The way of a node to the feed.
pub struct NodeFeed {
    node: u64,
    database: Arc<Database>,
    pool: Arc<Semaphore>,
    /// All keys in the order of their digests.
    sorted: Arc<[(KeyDigest, u64)]>,
}

impl NodeFeed {
    /// Creates a feed over the pool of a node.
    pub fn new(
        node: u64,
        database: Arc<Database>,
        pool: Arc<Semaphore>,
        sorted: Arc<[(KeyDigest, u64)]>,
    ) -> Self {
        Self { node, database, pool, sorted }
    }

    /// Returns all keys of a database in the order of their digests.
    pub fn sorted(database: &Database) -> Arc<[(KeyDigest, u64)]> {
        let keys = database.keys;
        let mut sorted: Vec<_> = (0..keys.count).map(|key| (keys.digest(key), key)).collect();
        sorted.sort_unstable_by_key(|(digest, _)| *digest.as_bytes());
        sorted.into()
    }

    /// Runs a statement.
    async fn run<T>(&self, work: impl FnOnce(&mut History) -> T) -> Result<T, StoreError> {
        let _connection = self.pool.acquire().await.map_err(StoreError::new)?;
        self.database.run(self.node, work).await
    }

    fn secret(&self, history: &History, digest: KeyDigest, key: u64) -> FeedSecret {
        let record = self.database.keys.record(key, history.is_revoked(key));
        FeedSecret { digest, record: Ok(record) }
    }

    fn read_page(&self, history: &History, after: Option<KeyDigest>) -> FeedPage {
        let from = after.map_or(0, |after| {
            self.sorted.partition_point(|(digest, _)| digest.as_bytes() <= after.as_bytes())
        });
        let rest = &self.sorted[from..];
        let page = &rest[..rest.len().min(PAGE)];
        let secret = |(digest, key): &(KeyDigest, u64)| self.secret(history, *digest, *key);
        FeedPage {
            secrets: page.iter().map(secret).collect(),
            is_last: page.len() == rest.len(),
            latest: history.position(),
        }
    }

    fn read_changes(&self, history: &History, since: FeedPosition) -> FeedChanges {
        let changed: BTreeSet<u64> = history.keys_since(since.sequence).into_iter().collect();
        let change = |key: u64| {
            let id = KeyId::new(format!("key_{key}")).expect("the id is valid");
            let secrets = vec![self.secret(history, self.database.keys.digest(key), key)];
            FeedChange::Key { id, secrets }
        };
        let (position, behind) = (history.position(), std::time::Duration::ZERO);
        let changes = changed.into_iter().map(change).collect();
        FeedChanges { changes, position, latest: position, more: false, behind }
    }
}

/// Returns an answer about a position that the history has.
fn known<T>(
    history: &History,
    position: FeedPosition,
    answer: impl FnOnce() -> T,
) -> FeedAnswer<T> {
    if history.has(position) { FeedAnswer::Same(answer()) } else { FeedAnswer::Diverged }
}

impl KeyFeed for NodeFeed {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        Box::pin(self.run(|history| history.position()))
    }

    fn keys_after(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        Box::pin(
            self.run(move |history| known(history, position, || self.read_page(history, after))),
        )
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        Box::pin(self.run(move |history| {
            if !history.has(seen) {
                return FeedAnswer::Diverged;
            }
            known(history, since, || self.read_changes(history, since))
        }))
    }

    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        let (database, pool) = (Arc::clone(&self.database), Arc::clone(&self.pool));
        Some(Box::new(Listener::new(self.node, database, pool).without_proofs()))
    }
}
