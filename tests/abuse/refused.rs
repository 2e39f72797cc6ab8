//! Requests of a good key that the rules refuse: how often, and what they cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::attempts::RefusedRequests;
use tower_api_key::clock::ManualClock;
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::profile::{Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Grant, Profile, Reply, refusal};

use super::{MINUTE, START};
use crate::support::{PROFILE, Service, greeting, reason, request, send, store};

const THREE: RefusedRequests = RefusedRequests::new(3, MINUTE);

/// Counts the questions that it is asked.
struct Asked(MemoryLimiter, Arc<AtomicUsize>);

impl Limiter for Asked {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.charge(charge)
    }
}

const VERSION: RequiredHeader = RequiredHeader { name: "x-version", expected: Expected::Present };

fn routes() -> Routes {
    Routes::new()
        .on(&[], "/open", Route::new())
        .on(&[], "/admin", Route::new().all_of(&["admin"]))
        .on(&[], "/of/{account}", Route::new().account_parameter("account"))
        .on(&[], "/partners", Route::new().kinds(&["partner"]))
}

/// A gate whose keys have five requests an hour.
fn gate(profile: &Profile) -> (ApiKeyLayerBuilder, Arc<AtomicUsize>, ManualClock) {
    let hour = Quota::new("hour", 5, Duration::from_secs(3_600));
    let limiter = Asked(MemoryLimiter::new(), Arc::default());
    let (asked, clock) = (Arc::clone(&limiter.1), ManualClock::starting_at(START));
    let builder = ApiKeyLayer::builder(*profile, store(|key| key.quotas([hour])))
        .routes(routes())
        .limits(limiter, OnLimiterFailure::Deny)
        .refused_requests(THREE)
        .clock(clock.clone());
    (builder, asked, clock)
}

async fn get(service: &Service, path: &str) -> Response<crate::support::Body> {
    send(service, request(Method::GET, path)).await
}

#[tokio::test]
async fn refused_requests_of_a_key_have_a_limit_of_their_own() {
    for (path, denial) in [
        ("/admin", "scope_missing"),
        ("/of/other", "account_mismatch"),
        ("/partners", "kind_not_allowed"),
        ("/elsewhere", "route_unknown"),
    ] {
        let (builder, asked, clock) = gate(&PROFILE);
        let service = greeting(&builder.build().unwrap());
        for _ in 0..3 {
            assert_eq!(reason(&get(&service, path).await), denial);
        }
        let before = asked.load(Ordering::SeqCst);
        for _ in 0..100 {
            let limited = get(&service, path).await;
            assert_eq!((reason(&limited), limited.status().as_u16()), ("rate_limited", 429));
            assert_eq!(limited.headers()["retry-after"], "20");
        }
        assert_eq!(asked.load(Ordering::SeqCst), before, "the limiter is spared");
        // What the rules let pass is served, and its quota is whole.
        let served = get(&service, "/open").await;
        assert_eq!(reason(&served), "admitted");
        assert_eq!(served.headers()["ratelimit-remaining"], "4");
        clock.advance(MINUTE / 3);
        assert_eq!(reason(&get(&service, path).await), denial, "one has drained");
        assert_eq!(reason(&get(&service, path).await), "rate_limited");
    }
}

#[tokio::test]
async fn networks_and_demanded_headers_count_too() {
    let store = store(|key| key.networks(["10.0.0.0/8"]));
    let builder = ApiKeyLayer::builder(PROFILE, store).refused_requests(THREE);
    let service = greeting(&builder.clock(ManualClock::starting_at(START)).build().unwrap());
    for expected in ["network_not_allowed"; 3].into_iter().chain(["rate_limited"]) {
        assert_eq!(reason(&get(&service, "/").await), expected);
    }
    let (builder, ..) = gate(&Profile { required_headers: &[VERSION], ..PROFILE });
    let service = greeting(&builder.build().unwrap());
    for expected in ["header_refused"; 3].into_iter().chain(["rate_limited"]) {
        assert_eq!(reason(&get(&service, "/open").await), expected);
    }
}

#[tokio::test]
async fn what_a_handler_refuses_counts_and_what_it_fails_at_does_not() {
    for (denial, counts) in [
        (Denial::ScopeMissing { needed: "admin".into() }, true),
        (Denial::AccountMismatch, true),
        (Denial::InternalError, false),
        (Denial::CredentialsMissing, false),
    ] {
        let (builder, ..) = gate(&PROFILE);
        let asked = denial.clone();
        let handler = service_fn(move |request: Request<()>| {
            let asked = asked.clone();
            async move {
                assert!(request.extensions().get::<Grant>().is_some());
                Ok::<_, std::convert::Infallible>(refusal::<Full<bytes::Bytes>>(asked))
            }
        });
        let service = builder.build().unwrap().layer(handler);
        let mut reasons = Vec::new();
        for _ in 0..4 {
            let answer = service.clone().oneshot(request(Method::GET, "/open")).await.unwrap();
            reasons.push(reason(&answer));
        }
        let last = if counts { "rate_limited" } else { denial.name() };
        assert_eq!(reasons, [denial.name(), denial.name(), denial.name(), last]);
    }
}

#[tokio::test]
async fn refusals_are_not_limited_unless_that_was_chosen() {
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes());
    let service = greeting(&builder.build().unwrap());
    for _ in 0..200 {
        assert_eq!(reason(&get(&service, "/admin").await), "scope_missing");
    }
    for wrong in [RefusedRequests::new(0, MINUTE), RefusedRequests::new(1, Duration::ZERO)] {
        let builder = ApiKeyLayer::builder(PROFILE, store(|key| key));
        assert!(builder.refused_requests(wrong).build().is_err());
    }
}
