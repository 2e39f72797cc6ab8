//! Settings of the server's sessions, which belong to others and do not change what a replica reads.

use std::time::Duration;

use sqlx::{Executor, PgPool};
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::key;
use crate::pgbouncer::PgBouncer;
use crate::postgres::Postgres;

/// Behind a pooler, answers are text, and a digest has two forms.
#[tokio::test]
async fn a_copy_behind_a_pooler_is_whole_whatever_form_bytes_have() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    look.execute("ALTER ROLE test SET bytea_output = 'escape'").await.unwrap();
    let builder = SqlStore::builder(pooler.url()).behind_pooler(true);
    let store = builder.connect().await.unwrap();
    store.add(key("first"), "test").await.unwrap();
    let mut copy = StoreCopy::of(&store).await.unwrap();
    assert_eq!(copy.secrets.len(), 1);
    store.add(key("second"), "test").await.unwrap();
    assert!(copy.follow(&store).await);
    assert_eq!(copy.secrets.len(), 2);
    assert_eq!(copy.secrets, all(&store).await);
    store.revoke("first", "test").await.unwrap();
    assert!(copy.follow(&store).await);
    assert_eq!(copy.secrets, all(&store).await);
}

/// The answer with the changes may take longer than a lookup, as a page may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_may_take_longer_than_a_lookup() {
    const LOOKUP: Duration = Duration::from_millis(500);
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::builder(server.url()).lookup_timeout(LOOKUP).connect().await.unwrap();
    store.add(key("first"), "test").await.unwrap();
    let mut copy = StoreCopy::of(&store).await.unwrap();
    store.add(key("second"), "test").await.unwrap();
    let mut locking = look.begin().await.unwrap();
    locking.execute("LOCK TABLE tower_api_key_secrets").await.unwrap();
    let following = tokio::spawn(async move {
        assert!(copy.follow(&store).await);
        copy.secrets.len()
    });
    tokio::time::sleep(3 * LOOKUP).await;
    locking.rollback().await.unwrap();
    assert_eq!(following.await.unwrap(), 2);
}
