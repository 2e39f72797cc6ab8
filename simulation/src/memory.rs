//! The memory that a record takes on a node, measured.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tower_api_key::store::{Cached, KeyStore, Replica};

use crate::chance::Chance;
use crate::database::{Database, NodeFeed, NodeStore, PaperKeys};
use crate::network::Network;
use crate::store_mode::StoreMode;
use crate::time::Time;

/// The records of the smaller of two stores. The larger one has twice as many.
const RECORDS: u64 = 8_000;

/// Returns the bytes of a record with an account of its own.
///
/// # Panics
///
/// If the runtime cannot be built.
pub fn bytes_of_record(mode: StoreMode) -> u64 {
    let bytes = |records| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        bytes_of_store(&runtime, mode, records)
    };
    // What is not about records is in both.
    (bytes(2 * RECORDS) - bytes(RECORDS)) / RECORDS
}

fn bytes_of_store(runtime: &Runtime, mode: StoreMode, records: u64) -> u64 {
    let (node, pool) = (0, Arc::new(Semaphore::new(4)));
    let database = runtime.block_on(async {
        let network = Arc::new(Network::new(Chance::new(1), Vec::new()));
        let keys = PaperKeys { count: records };
        Database::start(keys, Time::begin(), network, Chance::new(1), Vec::new())
    });
    let sorted = NodeFeed::sorted(&database);
    let mut kept: Option<Box<dyn KeyStore>> = None;
    let measured = allocation_counter::measure(|| {
        kept = Some(runtime.block_on(async {
            match mode {
                StoreMode::Replica => {
                    let feed = NodeFeed::new(node, database, pool, sorted);
                    let replica = Replica::new(feed);
                    let following = tokio::spawn(replica.follow());
                    replica.ready().await;
                    following.abort();
                    let _ = following.await;
                    Box::new(replica) as Box<dyn KeyStore>
                }
                StoreMode::Cached => {
                    let store = NodeStore { node, database, pool };
                    let cached = Cached::builder(store).capacity(1 << 17, 1_024).build();
                    for (digest, _) in sorted.iter() {
                        let _ = cached.find(digest).await;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Box::new(cached)
                }
            }
        }));
    });
    u64::try_from(measured.bytes_current).unwrap_or(0)
}
