//! Limits in Redis: every promise of a limiter, and what only a server shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::cast_precision_loss)] // Figures that are printed.

mod attempts;
mod causes;
mod cluster;
mod clustered;
mod concurrency;
mod crowded_networks;
mod distance;
mod extremes;
mod failover;
mod fleet;
#[path = "../../../tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
mod hoard;
mod keys;
mod leases;
mod login;
mod model;
mod networks;
#[cfg(feature = "metrics")]
mod observed;
mod outage;
mod parts;
mod permits_of_processes;
mod rate;
mod relay;
mod sentinel;
mod server;
#[path = "../../../../tests/support/mod.rs"]
mod support;
#[cfg(feature = "tls")]
mod tls;
mod together;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{Mutex, RwLock, RwLockReadGuard};

use server::Redis;

/// A prefix that nothing else has.
fn fresh_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}:", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Lets a test that measures time run while no other does, and all others at once.
static TURNS: RwLock<()> = RwLock::const_new(());

/// What tests of the kit hold together: a server, and the turn of those that measure nothing.
type Shared = Arc<(Redis, RwLockReadGuard<'static, ()>)>;

/// Returns the server of the kit's tests. It ends with the last test that holds it.
async fn shared() -> Option<Shared> {
    static SHARED: Mutex<Weak<(Redis, RwLockReadGuard<'static, ()>)>> =
        Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(shared) = shared.upgrade() {
        return Some(shared);
    }
    let started = Arc::new((Redis::start()?, TURNS.read().await));
    *shared = Arc::downgrade(&started);
    Some(started)
}

mod the_redis_limiter {
    use tower_api_key_redis::RedisLimiter;

    use crate::{Shared, fresh_prefix, shared};

    async fn make_limiter() -> Option<(RedisLimiter, Shared)> {
        let shared = shared().await?;
        let limiter = shared.0.limiter().prefix(fresh_prefix()).on_request_time();
        Some((limiter.build().unwrap(), shared))
    }

    tower_api_key::limiter_tests!(make_limiter);
}

mod the_redis_concurrency {
    use tower_api_key_redis::RedisConcurrency;

    use crate::{Shared, fresh_prefix, shared};

    async fn make_concurrency() -> Option<(RedisConcurrency, Shared)> {
        let shared = shared().await?;
        let limiter = shared.0.limiter().prefix(fresh_prefix()).build().unwrap();
        Some((limiter.concurrency(), shared))
    }

    tower_api_key::concurrency_tests!(make_concurrency);
}
