//! How caches answer lookups, as `CacheMetrics` counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::Reply;
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{Cached, KeyStore, MemoryStore, StoreError};
use tower_api_key::telemetry::CacheMetrics;

use crate::support::{KEY, digest, store};

/// A store that can be switched off.
struct Switched(MemoryStore, Arc<AtomicBool>);

impl KeyStore for Switched {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        if self.1.load(Ordering::SeqCst) {
            return Reply::now(Err(StoreError::new("connection reset")));
        }
        self.0.find(digest)
    }
}

/// Looks keys up in every way. Each cache of the feature `metrics` counts with the recorder of this thread.
pub(super) async fn look_up() {
    let (is_down, clock) = (Arc::new(AtomicBool::new(false)), ManualClock::default());
    clock.advance(Duration::from_secs(1_000));
    let cached = Cached::builder(Switched(store(|key| key), Arc::clone(&is_down)))
        .staleness(Duration::from_secs(5))
        .grace(Duration::from_secs(60))
        .clock(clock.clone())
        .observer(CacheMetrics::new())
        .build();
    let (known, unknown) = (digest(KEY), digest("key_0000000000000000"));
    cached.find(&known).await.unwrap().unwrap(); // a miss
    clock.advance(Duration::from_secs(3));
    cached.find(&known).await.unwrap().unwrap(); // a hit, 3 s old
    assert!(cached.find(&unknown).await.unwrap().is_none()); // a miss
    assert!(cached.find(&unknown).await.unwrap().is_none()); // known to be unknown
    is_down.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(7));
    cached.find(&known).await.unwrap().unwrap(); // a miss, and then an old record, 10 s old
    cached.find(&known).await.unwrap().unwrap(); // an old record at once
    assert!(cached.find(&unknown).await.is_err()); // a miss
}

#[tokio::test(start_paused = true)]
async fn hits_misses_and_ages_are_counted() {
    let recorder = PrometheusBuilder::new().set_buckets(&[5.0]).unwrap().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    look_up().await;
    let text = handle.render();
    for (answer, count) in [("hit", 1), ("unknown", 1), ("miss", 4), ("old", 2)] {
        let line = format!("tower_api_key_cache_lookups_total{{answer=\"{answer}\"}} {count}");
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    for line in ["_bucket{le=\"5\"} 1", "_count 3", "_sum 23"] {
        let line = format!("tower_api_key_cache_age_seconds{line}");
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}
