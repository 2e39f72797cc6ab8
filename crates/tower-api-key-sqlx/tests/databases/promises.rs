//! Every promise of a store, in SQLite and PostgreSQL, alone and behind a cache.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::Postgres;

/// Makes a store in a file of its own.
async fn in_sqlite() -> (SqlStore, Folder) {
    let folder = Folder::new();
    (SqlStore::connect(&crate::sqlite(&folder)).await.unwrap(), folder)
}

/// Makes a store in tables of its own.
async fn in_postgres() -> Option<(SqlStore, Arc<Postgres>)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = shared()?;
    let prefix = format!("promise_{}_", NEXT.fetch_add(1, Ordering::Relaxed));
    let builder = SqlStore::builder(server.url()).max_connections(4).prefix(prefix);
    Some((builder.connect().await.unwrap(), server))
}

/// Returns the server of these tests. It ends with the last test that holds it.
fn shared() -> Option<Arc<Postgres>> {
    static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Postgres::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

mod sqlite {
    tower_api_key::store_tests!(super::in_sqlite);
    tower_api_key::pepper_tests!(super::in_sqlite);
}

mod postgres {
    tower_api_key::store_tests!(super::in_postgres);
    tower_api_key::pepper_tests!(super::in_postgres);
}

mod a_cache_before_sqlite {
    use tower_api_key::store::Cached;

    tower_api_key::store_tests!(async || {
        let (store, folder) = super::in_sqlite().await;
        (Cached::new(store), folder)
    });
}

mod a_cache_before_postgres {
    use tower_api_key::store::Cached;

    tower_api_key::store_tests!(async || {
        let (store, server) = super::in_postgres().await?;
        Some((Cached::new(store), server))
    });

    tower_api_key::pepper_tests!(async || {
        let (store, server) = super::in_postgres().await?;
        Some((Cached::new(store), server))
    });
}

/// What does not manage is a `KeyStore` all the same.
mod lookups {
    use tower_api_key::store::{KeyManager, NewKey};
    use tower_api_key::testing::Records;

    tower_api_key::lookup_tests!(async |records: Records| {
        let (store, folder) = super::in_sqlite().await;
        let keys = records.into_iter().map(|(digest, record)| NewKey::new(digest, record));
        store.import(keys.collect(), "test").await.unwrap();
        (store, folder)
    });
}

/// A store is the feed of a replica, too.
mod feed_of_sqlite {
    tower_api_key::feed_tests!(super::in_sqlite);
}

mod feed_of_postgres {
    tower_api_key::feed_tests!(super::in_postgres);
}
