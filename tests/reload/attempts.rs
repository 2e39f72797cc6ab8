//! What is counted against attackers, after a new layer has taken it over.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tokio::task::yield_now;
use tower::ServiceExt;
use tower_api_key::attempts::{FailedAttempts, RefusedRequests};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{KeyDigest, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Observer};

use super::{HeldStore, MINUTE, OLD, answered_by, door, get, reason_for, reload, serving};
use crate::support::{PROFILE, Service, reason, send, store};

const HOUR: Duration = Duration::from_secs(3_600);
const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// A request with a key that the store does not have.
fn guess() -> Request<()> {
    let mut request = get();
    let token = "Bearer a_key_that_nobody_has".parse().unwrap();
    request.headers_mut().insert("authorization", token);
    request
}

/// Returns how many further attempts of the network fail before it is refused.
async fn room(service: &Service) -> usize {
    let mut failed = 0;
    while reason_for(service, guess()).await == "key_unknown" {
        failed += 1;
    }
    failed
}

/// Ten failed attempts an hour, of which `used` were made; then the limit changes.
#[tokio::test]
async fn failed_attempts_survive_each_change_of_their_limit() {
    let ten = FailedAttempts::new(10, HOUR);
    let many = FailedAttempts::new(10, 24 * HOUR);
    for (change, attempts, used, left) in [
        ("nothing", ten.clone(), 10, 0),
        ("nothing", ten.clone(), 4, 6),
        ("a higher limit", FailedAttempts::new(100, HOUR), 10, 0),
        ("a higher limit", FailedAttempts::new(100, HOUR), 5, 50),
        ("a lower limit", FailedAttempts::new(4, HOUR), 10, 0),
        ("a lower limit", FailedAttempts::new(4, HOUR), 5, 2),
        ("a longer window", many.clone(), 10, 0),
        ("a longer window", many, 5, 5),
        ("a shorter window", FailedAttempts::new(10, MINUTE), 10, 0),
        ("another window and limit", FailedAttempts::new(6, MINUTE), 5, 3),
        ("more networks", ten.clone().capacity(100_000), 10, 0),
        ("fewer networks", ten.clone().capacity(8), 5, 5),
        ("other prefixes", ten.clone().prefixes(24, 48), 10, 10),
    ] {
        let (store, clock) = (store(|key| key), ManualClock::starting_at(START));
        let build = |attempts: &FailedAttempts| {
            door(&OLD, store.clone()).clock(clock.clone()).failed_attempts(attempts.clone())
        };
        let (service, handle) = serving(build(&ten));
        for _ in 0..used {
            assert_eq!(reason_for(&service, guess()).await, "key_unknown");
        }
        reload(&handle, build(&attempts));
        let refused = if left == 0 { "too_many_failures" } else { "admitted" };
        assert_eq!(reason_for(&service, get()).await, refused, "{change} after {used}");
        assert_eq!(room(&service).await, left, "{change} after {used}");
        reload(&handle, build(&ten));
        let back = if change == "other prefixes" { "admitted" } else { "too_many_failures" };
        assert_eq!(reason_for(&service, get()).await, back, "{change}, and back");
    }
}

/// An unrelated change, again and again, is no way to guess on.
#[tokio::test]
async fn reloads_give_no_guess_more() {
    let (store, clock) = (store(|key| key), ManualClock::starting_at(START));
    let build = |number: u32| {
        // Each version has another window.
        let window = HOUR + Duration::from_secs(u64::from(number));
        door(&OLD, store.clone())
            .clock(clock.clone())
            .failed_attempts(FailedAttempts::new(10, window))
    };
    let (service, handle) = serving(build(0));
    let mut guesses = 0;
    for number in 1..100 {
        guesses += usize::from(reason_for(&service, guess()).await == "key_unknown");
        reload(&handle, build(number));
    }
    assert_eq!(guesses, 10);
}

#[tokio::test]
async fn a_lookup_under_way_is_given_back_where_it_was_counted() {
    let two = FailedAttempts::new(2, HOUR);
    for (change, attempts, after) in [
        ("nothing", two.clone(), "admitted"),
        ("another limit", FailedAttempts::new(4, HOUR), "admitted"),
        // Copied: a lookup under way counts as failed.
        ("another window", FailedAttempts::new(2, MINUTE), "too_many_failures"),
    ] {
        let held = HeldStore::new();
        let clock = ManualClock::starting_at(START);
        let build = |attempts: FailedAttempts| {
            door(&OLD, held.clone()).clock(clock.clone()).failed_attempts(attempts)
        };
        let (service, handle) = serving(build(two.clone()));
        let lookups = [(); 2].map(|()| tokio::spawn(service.clone().oneshot(get())));
        yield_now().await;
        reload(&handle, build(attempts));
        assert_eq!(reason_for(&service, get()).await, "too_many_failures", "{change}");
        held.answers.add_permits(10);
        for lookup in lookups {
            assert_eq!(reason(&lookup.await.unwrap().unwrap()), "admitted", "{change}");
        }
        assert_eq!(reason_for(&service, get()).await, after, "{change}");
        clock.advance(MINUTE);
        assert_eq!(reason_for(&service, get()).await, "admitted", "{change}: it has drained");
    }
}

#[tokio::test]
async fn refused_requests_of_a_key_survive() {
    let clock = ManualClock::starting_at(START);
    let store = store(|key| key);
    let build = |refused: Option<RefusedRequests>, scope: &'static str| {
        let routes = Routes::new().get("/", Route::new().all_of(&[scope]));
        let builder = ApiKeyLayer::builder(PROFILE, store.clone()).routes(routes);
        let builder = builder.clock(clock.clone());
        match refused {
            Some(refused) => builder.refused_requests(refused),
            None => builder,
        }
    };
    let three = || Some(RefusedRequests::new(3, HOUR));
    let (service, handle) = serving(build(three(), "a"));
    for _ in 0..3 {
        assert_eq!(reason_for(&service, get()).await, "scope_missing");
    }
    for next in [three(), Some(RefusedRequests::new(3, 2 * HOUR).keys(8)), three()] {
        reload(&handle, build(next, "b"));
        assert_eq!(reason_for(&service, get()).await, "rate_limited");
    }
    for (next, expected) in [(None, "scope_missing"), (three(), "scope_missing")] {
        reload(&handle, build(next, "b"));
        assert_eq!(reason_for(&service, get()).await, expected, "removed, then new");
    }
}

#[derive(Clone, Default)]
struct AlarmLog {
    exposed: Arc<Mutex<Vec<KeyDigest>>>,
    elsewhere: Arc<AtomicUsize>,
}

impl Observer for AlarmLog {
    fn key_exposed(&self, digest: &KeyDigest) {
        self.exposed.lock().unwrap().push(*digest);
    }

    fn key_used_elsewhere(&self, _: &KeyRecord, _: Option<IpAddr>) {
        self.elsewhere.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn reloads_raise_no_flood_of_alarms() {
    let (log, clock) = (AlarmLog::default(), ManualClock::starting_at(START));
    let store = store(|key| key.networks(["10.0.0.0/8"]));
    let build = |number: u32| {
        let attempts = FailedAttempts::new(5 + number, HOUR + number * MINUTE);
        door(&OLD, store.clone())
            .clock(clock.clone())
            .observer(log.clone())
            .failed_attempts(attempts)
    };
    let (service, handle) = serving(build(0));
    for number in 1..=20 {
        for _ in 0..10 {
            let mut in_clear = get();
            let peer = "192.0.2.1:4711".parse().unwrap();
            in_clear.extensions_mut().insert(Connection::plain(peer));
            send(&service, in_clear).await;
            assert_eq!(answered_by(&send(&service, get()).await), "old");
        }
        reload(&handle, build(number % 2));
    }
    assert_eq!(log.exposed.lock().unwrap().len(), 5);
    assert_eq!(log.elsewhere.load(Ordering::SeqCst), 60);
}
