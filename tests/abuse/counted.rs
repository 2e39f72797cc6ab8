//! What counts as a failed attempt, and what does not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request};
use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::{KeyDigest, KeyRecordBuilder, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Reply};

use super::{MINUTE, ONE, START, from, guarded, guess, reason_for};
use crate::support::{KEY, PROFILE, greeting, reason, request, send, store};

const HOME: &str = "192.0.2.1";

type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;

fn good() -> Request<()> {
    from(HOME, Some(&format!("Bearer {KEY}")))
}

fn plain() -> Request<()> {
    let mut request = good();
    request.extensions_mut().insert(Connection::plain("192.0.2.1:1".parse().unwrap()));
    request
}

fn two_credentials() -> Request<()> {
    let mut request = good();
    request.headers_mut().insert("x-api-key", KEY.parse().unwrap());
    request
}

#[tokio::test]
async fn attempts_of_strangers_count_and_nothing_else_does() {
    let as_it_is: Change = |key| key;
    let elsewhere: Change = |key| key.networks(["10.0.0.0/8"]);
    #[rustfmt::skip]
    let cases: [(&str, Request<()>, Change, bool); 17] = [
        ("credentials_ambiguous", two_credentials(), as_it_is, true),
        ("credentials_malformed", from(HOME, Some("Bearer not,a,token")), as_it_is, true),
        ("credentials_malformed", from(HOME, Some("Bearer")), as_it_is, true),
        ("key_malformed", from(HOME, Some("Bearer short")), as_it_is, true),
        ("key_unknown", guess(HOME), as_it_is, true),
        ("key_revoked", good(), |key| key.revoked(true), true),
        ("key_disabled", good(), |key| key.disabled(true), true),
        ("key_not_yet_valid", good(), |key| key.not_before(Timestamp::MAX), true),
        ("key_expired", good(), |key| key.expires(START), true),
        ("environment_mismatch", good(), |key| key.environment("sandbox"), true),
        ("admitted", good(), as_it_is, false),
        ("credentials_missing", from(HOME, None), as_it_is, false),
        ("scheme_unsupported", from(HOME, Some("Digest x")), as_it_is, false),
        ("insecure_transport", plain(), as_it_is, false),
        ("network_not_allowed", good(), elsewhere, false),
        ("route_unknown", good(), |key| key.kind("lost"), false),
        ("scope_missing", good(), |key| key.scopes(["other"]), false),
    ];
    for (expected, request, change, counts) in cases {
        let environment = |key: KeyRecordBuilder| change(key.environment("live").scopes(["read"]));
        let path = if expected == "route_unknown" { "/elsewhere" } else { "/" };
        let routes = Routes::new().on(&[Method::GET], path, Route::new().all_of(&["read"]));
        let builder = ApiKeyLayer::builder(PROFILE, store(environment)).environment("live");
        let (service, _) = guarded(builder.routes(routes), ONE);
        assert_eq!(reason_for(&service, request.clone()).await, expected);
        let next = reason_for(&service, guess(HOME)).await;
        assert_eq!(next, if counts { "too_many_failures" } else { "key_unknown" }, "{expected}");
    }
}

#[tokio::test]
async fn a_network_over_its_limit_is_refused_whatever_it_sends_with_a_credential() {
    let routes = Routes::new().on(&[], "/", Route::new());
    let open = || ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes.clone());
    for (attempts, good_key) in [(ONE, "too_many_failures"), (ONE.serve_good_keys(), "admitted")] {
        let (service, clock) = guarded(open().optional(), attempts);
        assert_eq!(reason_for(&service, guess(HOME)).await, "key_unknown");
        for (request, expected) in [
            (guess(HOME), "too_many_failures"),
            (from(HOME, Some("Bearer short")), "too_many_failures"),
            (two_credentials(), "too_many_failures"),
            (good(), good_key),
            // No key is tried.
            (plain(), "insecure_transport"),
            (from(HOME, None), "admitted"),
        ] {
            assert_eq!(reason_for(&service, request).await, expected);
        }
        clock.advance(MINUTE);
        assert_eq!(reason_for(&service, good()).await, "admitted", "a refusal prolongs nothing");
        assert_eq!(reason_for(&service, guess(HOME)).await, "key_unknown");
    }
}

/// Counts how often it is asked; fails if it is told to.
struct Asked {
    store: MemoryStore,
    times: Arc<AtomicUsize>,
    fails: bool,
}

impl KeyStore for Asked {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.times.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Reply::now(Err(StoreError::new(io::Error::other("connection reset"))));
        }
        let answer = self.store.find(digest);
        Reply::later(async move {
            tokio::task::yield_now().await;
            answer.await
        })
    }
}

fn asked(fails: bool) -> (ApiKeyLayerBuilder, Arc<AtomicUsize>) {
    let times = Arc::new(AtomicUsize::new(0));
    let store = Asked { store: store(|key| key), times: Arc::clone(&times), fails };
    (ApiKeyLayer::builder(PROFILE, store), times)
}

#[tokio::test]
async fn the_store_is_not_asked_for_a_network_over_its_limit() {
    let (builder, times) = asked(false);
    let (service, _) = guarded(builder, ONE);
    for _ in 0..5 {
        send(&service, guess(HOME)).await;
        send(&service, good()).await;
    }
    assert_eq!(times.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn attempts_that_are_under_way_together_all_count() {
    let (builder, _) = asked(false);
    let (service, _) = guarded(builder, ONE);
    let (one, other) = (guess(HOME), guess(HOME));
    let both = tokio::join!(reason_for(&service, one), reason_for(&service, other));
    let mut reasons: [_; 2] = both.into();
    reasons.sort_unstable();
    assert_eq!(reasons, ["key_unknown", "too_many_failures"], "the later one was over by then");
}

#[tokio::test]
async fn a_store_that_fails_makes_nobody_a_stranger() {
    let (builder, _) = asked(true);
    let (service, _) = guarded(builder, ONE);
    for _ in 0..5 {
        assert_eq!(reason_for(&service, good()).await, "store_unavailable");
    }
}

#[tokio::test]
async fn an_accounts_quota_is_not_touched_and_not_spoken_of() {
    let quota = Quota::new("minute", 5, MINUTE);
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([quota])))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let (service, clock) = guarded(builder, ONE);
    send(&service, guess(HOME)).await;
    for _ in 0..10 {
        let refused = send(&service, good()).await;
        assert_eq!((reason(&refused), refused.status().as_u16()), ("too_many_failures", 429));
        let limits = refused.headers().keys().filter(|name| name.as_str().starts_with("ratelimit"));
        assert_eq!(limits.count(), 0);
    }
    clock.advance(MINUTE);
    let served = send(&service, good()).await;
    assert_eq!(served.headers()["ratelimit-remaining"], "4");
}

/// Counts its readings.
#[derive(Clone)]
struct Read(Arc<AtomicUsize>);

impl Clock for Read {
    fn now(&self) -> Timestamp {
        self.0.fetch_add(1, Ordering::SeqCst);
        START.plus(Duration::from_secs(self.0.load(Ordering::SeqCst) as u64))
    }
}

#[tokio::test]
async fn the_clock_is_read_before_the_lookup_and_after_it() {
    let readings = Arc::new(AtomicUsize::new(0));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .failed_attempts(ONE)
        .clock(Read(Arc::clone(&readings)))
        .build()
        .unwrap();
    let service = greeting(&layer);
    let other = || from("198.51.100.1", Some(&format!("Bearer {KEY}")));
    for (request, read, why) in [
        (other(), 2, "one that serves"),
        (guess(HOME), 2, "one that fails"),
        (guess(HOME), 1, "one that is refused unseen"),
        (from(HOME, None), 0, "one without a key"),
    ] {
        let before = readings.load(Ordering::SeqCst);
        send(&service, request).await;
        assert_eq!(readings.load(Ordering::SeqCst) - before, read, "{why}");
    }
}

#[test]
fn an_explanation_knows_what_depends_on_earlier_attempts() {
    let builder = || ApiKeyLayer::builder(PROFILE, store(|key| key));
    let limited = builder().failed_attempts(ONE).build().unwrap();
    let unlimited = builder().build().unwrap();
    let known = Connection::tls("192.0.2.1:4711".parse().unwrap());
    let attempt = request(Method::GET, "/");
    for (layer, request, connection, expected) in [
        (&limited, &attempt, known, Outcome::Depends),
        (&limited, &from(HOME, Some("Bearer short")), known, Outcome::Depends),
        (&limited, &attempt, Connection::unknown(), Outcome::Passed),
        (&limited, &from(HOME, None), known, Outcome::NotReached),
        (&unlimited, &attempt, known, Outcome::Passed),
    ] {
        let explained = layer.explain(request, connection, None, ManualClock::default().now());
        assert_eq!(explained.outcome(Check::FailedAttempts), &expected);
    }
}
