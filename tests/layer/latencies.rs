//! The latency of decisions, and how often the gate reads its clock for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::decision::{ObservedRequest, RequestEnd};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Observer, Reply};

use crate::support::{PROFILE, greeting, request, send, store};

const MINUTE: Duration = Duration::from_secs(60);

/// Counts how often its exact steady time is read.
#[derive(Clone, Default)]
struct CountedClock(ManualClock, Arc<AtomicUsize>);

impl Clock for CountedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn exact_steady(&self) -> Duration {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.exact_steady()
    }
}

/// Keeps the latency of each decision, and whether it waited. Needs latencies, or not.
#[derive(Clone, Default)]
struct Latencies(bool, Arc<Mutex<Vec<(Duration, bool)>>>);

impl Observer for Latencies {
    fn observes_requests(&self) -> bool {
        true
    }

    fn observes_latencies(&self) -> bool {
        self.0
    }

    fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
        self.1.lock().unwrap().push((request.latency(), request.has_waited()));
    }
}

/// A store that takes a minute to find a key, and another one until it answers.
struct Slow(MemoryStore, ManualClock, bool);

impl KeyStore for Slow {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, clock, digest) = (self.0.clone(), self.1.clone(), *digest);
        clock.advance(MINUTE);
        if !self.2 {
            return store.find(&digest);
        }
        Reply::later(async move {
            clock.advance(MINUTE);
            store.find(&digest).await
        })
    }
}

/// Sends a request to a gate with these observers. Returns what the last one keeps, and the readings of the clock.
async fn observe(waits: bool, needs: &[bool]) -> (Duration, bool, usize) {
    let (clock, kept) = (CountedClock::default(), Arc::default());
    let store = Slow(store(|key| key), clock.0.clone(), waits);
    let layer = ApiKeyLayer::builder(PROFILE, store).clock(clock.clone());
    let layer = needs
        .iter()
        .fold(layer, |layer, needs| layer.observer(Latencies(*needs, Arc::clone(&kept))));
    send(&greeting(&layer.build().unwrap()), request(Method::GET, "/")).await;
    let (latency, has_waited) = *kept.lock().unwrap().last().unwrap();
    (latency, has_waited, clock.1.load(Ordering::SeqCst))
}

#[tokio::test]
async fn the_clock_of_latencies_is_read_for_waits_and_for_observers_that_need_it() {
    for (waits, needs, latency, readings) in [
        (false, &[true][..], MINUTE, 2),
        (false, &[false], Duration::ZERO, 0),
        (false, &[true, false], MINUTE, 2),
        (false, &[false, true], MINUTE, 2),
        // Twice for the wait.
        (true, &[true], 2 * MINUTE, 4),
        // From the wait on.
        (true, &[false], MINUTE, 3),
    ] {
        assert_eq!(observe(waits, needs).await, (latency, waits, readings), "{waits} {needs:?}");
    }
}
