//! Stores and limiters of a user's own, held to their promises by what is public, as in a user's crate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tower_api_key::Reply;
use tower_api_key::concurrency::{Acquire, ConcurrencyLimiter, MemoryConcurrency, Permit};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::Verdict;
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::testing::Records;

/// Reads its keys once, when it starts, and answers later.
struct ReadOnce(Arc<HashMap<[u8; 32], SharedRecord>>);

impl ReadOnce {
    async fn open(records: Records) -> Self {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let rows = records.into_iter().map(|(digest, record)| (*digest.as_bytes(), record.into()));
        Self(Arc::new(rows.collect()))
    }
}

impl KeyStore for ReadOnce {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (records, digest) = (Arc::clone(&self.0), *digest.as_bytes());
        Reply::later(async move {
            tokio::task::yield_now().await;
            Ok(records.get(&digest).cloned())
        })
    }
}

/// Asks another limiter over a network, as it were.
struct Remote(Arc<MemoryLimiter>);

impl Limiter for Remote {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let answer = self.0.charge(charge);
        Reply::later(async move {
            tokio::task::yield_now().await;
            answer.await
        })
    }
}

/// Asks other permits.
struct RemotePlaces(MemoryConcurrency);

impl ConcurrencyLimiter for RemotePlaces {
    fn acquire(&self, entry: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        self.0.acquire(entry)
    }
}

/// A server that the tests need, and that ends with them.
struct Server;

/// A limiter on a server: none where the server is not installed, and then the tests are skipped.
async fn on_a_server(is_installed: bool) -> Option<(Remote, Server)> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    is_installed.then(|| (Remote(Arc::default()), Server))
}

mod read_once {
    tower_api_key::lookup_tests!(super::ReadOnce::open);
}

mod managed {
    use super::MemoryStore;

    tower_api_key::store_tests!(MemoryStore::new);
}

mod remote {
    tower_api_key::limiter_tests!(|| super::on_a_server(true));
}

mod skipped {
    tower_api_key::limiter_tests!(|| super::on_a_server(false));
}

mod places {
    use super::{MemoryConcurrency, RemotePlaces};

    tower_api_key::concurrency_tests!(async || RemotePlaces(MemoryConcurrency::new()));
}
