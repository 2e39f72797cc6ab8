//! Limits in Redis: the one suite of all limiters, and what only a server shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::cast_precision_loss)] // Figures that are printed.

#[path = "../../../../tests/limiter/bounds.rs"]
mod bounds;
mod causes;
mod extremes;
mod failover;
mod fleet;
#[path = "../../../tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
mod keys;
mod leases;
mod model;
mod outage;
mod places;
mod places_of_processes;
mod relay;
mod server;
#[path = "../../../../tests/limiter/suite.rs"]
mod suite;
#[path = "../../../../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::RwLock;
use tower_api_key::limits::Limiter;

use server::Redis;

/// Makes a fresh limiter for each case.
type Make<'a> = &'a dyn Fn() -> Arc<dyn Limiter>;

/// A prefix that nothing else has.
fn fresh_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}:", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Lets a test that measures time run while no other does, and all others at once.
static TURNS: RwLock<()> = RwLock::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_limiter_passes() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let make = || -> Arc<dyn Limiter> {
        let limiter = server.limiter().prefix(fresh_prefix()).on_request_time();
        Arc::new(limiter.build().unwrap())
    };
    suite::run(&make).await;
    bounds::run(&make, 1).await;
}
