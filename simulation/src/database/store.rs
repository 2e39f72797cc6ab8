//! The way of a node to the database: a pool of connections, over which it looks keys up.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

use super::server::Database;

/// The pool of a node.
#[derive(Clone)]
pub struct NodeStore {
    /// The number of the node.
    pub node: u64,
    /// The database.
    pub database: Arc<Database>,
    /// A permit for each connection.
    pub pool: Arc<Semaphore>,
}

impl KeyStore for NodeStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.clone(), *digest);
        Reply::later(async move {
            let _connection = store.pool.acquire().await.map_err(StoreError::new)?;
            let keys = store.database.keys;
            let found = store.database.run(store.node, |history| {
                let key = keys.key(&digest)?;
                Some(SharedRecord::from(keys.record(key, history.is_revoked(key))))
            });
            found.await
        })
    }
}
