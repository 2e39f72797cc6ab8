//! What a request costs: by its route, and as its handler finds out.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::caller::Caller;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::decision::{Check, CostError, Outcome};
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{
    Charge, ChargeMode, Limiter, LimiterError, LimiterFallback, MemoryLimiter,
};
use tower_api_key::profile::{LimitHeaders, Reset};
use tower_api_key::quota::{AppliedQuotas, OnLimiterFailure, Quota, Verdict};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{
    ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Denial, Grant, Observer, Profile, Reply, refusal,
};

use crate::support::{PROFILE, Service, account, greeting, reason, request, send, store, tls};

pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const TEN: Quota = Quota::new("ten", 10, MINUTE);
const DATED: Profile = Profile {
    limit_headers: LimitHeaders { reset: Reset::UnixTime, ..LimitHeaders::X_RATE_LIMIT },
    ..PROFILE
};

fn builder(quotas: &[Quota], routes: Routes) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(DATED, store(|key| key.quotas(quotas.to_vec())))
        .routes(routes)
        .clock(ManualClock::starting_at(START))
}

pub(super) fn counted(builder: ApiKeyLayerBuilder, limiter: impl Limiter) -> ApiKeyLayer {
    builder.limits(limiter, OnLimiterFailure::Deny).build().unwrap()
}

fn metered() -> Routes {
    Routes::new().otherwise(Otherwise::Need(Route::new().metered()))
}

/// A service that adds to the cost of each request, and keeps its grant.
fn adding(layer: &ApiKeyLayer, cost: u32, kept: &Arc<Mutex<Option<Grant>>>) -> Service {
    let kept = Arc::clone(kept);
    BoxCloneSyncService::new(layer.layer(service_fn(move |request: Request<()>| {
        let grant = request.extensions().get::<Grant>().unwrap().clone();
        assert_eq!(grant.add_cost(cost), Ok(()));
        kept.lock().unwrap().replace(grant);
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    })))
}

pub(super) fn remaining<B>(response: &Response<B>) -> &str {
    response.headers()["x-ratelimit-remaining"].to_str().unwrap()
}

pub(super) async fn left(layer: &ApiKeyLayer) -> String {
    let response = send(&greeting(layer), request(Method::PUT, "/look")).await;
    remaining(&response).to_owned()
}

#[tokio::test]
async fn a_route_says_what_it_costs() {
    let routes = Routes::new()
        .on(&[], "/one", Route::new())
        .on(&[], "/three", Route::new().cost(3))
        .on(&[], "/eleven", Route::new().cost(11))
        .on(&[], "/look", Route::new().cost(0));
    let layer = counted(builder(&[TEN], routes), MemoryLimiter::new());
    let service = greeting(&layer);
    for (path, passes, left) in [
        ("/look", true, "10"),
        ("/three", true, "7"),
        ("/one", true, "6"),
        ("/eleven", false, "6"),
        ("/three", true, "3"),
        ("/look", true, "3"),
        ("/three", true, "0"),
        ("/three", false, "0"),
        ("/look", true, "0"),
    ] {
        let response = send(&service, request(Method::GET, path)).await;
        let expected = if passes { "admitted" } else { "rate_limited" };
        assert_eq!((reason(&response), remaining(&response)), (expected, left), "{path}");
    }
}

#[tokio::test]
async fn a_look_alone_keeps_nothing() {
    let limiter = Arc::new(MemoryLimiter::new());
    let routes = Routes::new().on(&[], "/look", Route::new().cost(0));
    let layer = counted(builder(&[TEN], routes), Arc::clone(&limiter));
    assert_eq!(left(&layer).await, "10");
    assert!(limiter.is_empty());
}

#[test]
fn an_explanation_knows_the_cost() {
    let routes = Routes::new()
        .on(&[], "/three", Route::new().cost(3))
        .on(&[], "/look", Route::new().cost(0))
        .on(&[], "/one", Route::new());
    let layer = counted(builder(&[TEN], routes), MemoryLimiter::new());
    let record = KeyRecord::builder("key_1", account("acme")).quotas([TEN]).build().unwrap();
    let record = Arc::new(record);
    for (path, cost, limits) in [
        ("/three", 3, Outcome::Depends),
        ("/look", 0, Outcome::Passed),
        ("/one", 1, Outcome::Depends),
    ] {
        let explained = layer.explain(&request(Method::GET, path), tls(), Some(&record), START);
        assert_eq!(explained.cost(), cost, "{path}");
        assert_eq!(explained.outcome(Check::RequestLimits), &limits, "{path}");
    }
}

#[tokio::test]
async fn a_handler_adds_what_the_request_took() {
    let layer = counted(builder(&[TEN], metered()), MemoryLimiter::new());
    let kept = Arc::default();
    // 1 for the request, and what the handler says; the last one overdraws.
    for (cost, left) in [(0, "9"), (4, "4"), (2, "1")] {
        let response = send(&adding(&layer, cost, &kept), request(Method::GET, "/")).await;
        assert_eq!((reason(&response), remaining(&response)), ("admitted", left), "{cost}");
        let grant = kept.lock().unwrap().take().unwrap();
        assert_eq!(grant.add_cost(1), Err(CostError::Settled), "nobody would look for it");
    }
    let response = send(&adding(&layer, 99, &kept), request(Method::GET, "/")).await;
    assert_eq!((reason(&response), remaining(&response)), ("admitted", "0"), "it was served");
    let refused = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!(reason(&refused), "rate_limited");
    assert_eq!(refused.headers()["retry-after"], "60");
}

#[tokio::test]
async fn a_route_that_is_not_metered_says_so() {
    let routes = Routes::new().on(&[], "/", Route::new());
    let layer = counted(builder(&[TEN], routes), MemoryLimiter::new());
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let grant = request.extensions().get::<Grant>().unwrap();
        assert_eq!(grant.add_cost(1), Err(CostError::NotMetered));
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    assert_eq!(service.oneshot(request(Method::GET, "/")).await.unwrap().status(), 200);
    let refused = builder(&[TEN], metered()).without_grant().build();
    assert!(matches!(refused, Err(ConfigError::MeteredWithoutGrant)));
}

/// The reset counts from when the cost was taken, and so does the date that the client is told.
#[tokio::test]
async fn headers_are_true_when_the_handler_took_its_time() {
    let clock = ManualClock::starting_at(START);
    let builder = builder(&[TEN], metered()).clock(clock.clone());
    let layer = counted(builder, MemoryLimiter::new());
    let service = layer.layer(service_fn(|request: Request<()>| {
        request.extensions().get::<Grant>().unwrap().add_cost(5).unwrap();
        clock.advance(MINUTE + Duration::from_secs(30));
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    }));
    let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
    // The window of the request itself is over; what the handler added has opened another.
    assert_eq!(remaining(&response), "5");
    assert_eq!(response.headers()["x-ratelimit-reset"], "1700000150");
}

/// However the inner service ends, what was added is taken.
#[tokio::test(start_paused = true)]
async fn no_end_of_a_request_lets_a_cost_slip() {
    let route = Route::new().metered();
    let routes = Routes::new()
        .on(&[Method::GET], "/", route)
        .on(&[Method::POST], "/", route.budget(Duration::from_secs(1)))
        .on(&[], "/look", Route::new().cost(0));
    for (end, told) in [
        ("denial", Ok(("internal_error", "6"))),
        ("slow", Ok(("timed_out", "6"))),
        ("error", Err(())),
        ("hang up", Err(())),
    ] {
        for later in [None, Some(Duration::from_millis(5))] {
            let inner = Arc::new(MemoryLimiter::new());
            let limiter = Late { inner: Arc::clone(&inner), later };
            let layer = counted(builder(&[TEN], routes.clone()), limiter);
            let service = layer.layer(service_fn(|request: Request<()>| async move {
                let grant = request.extensions().get::<Grant>().unwrap();
                grant.add_cost(3).unwrap();
                match end {
                    "denial" => Ok(refusal::<Full<Bytes>>(Denial::InternalError)),
                    "error" => Err(std::io::Error::other("broken")),
                    _ => std::future::pending().await,
                }
            }));
            let method = if end == "slow" { Method::POST } else { Method::GET };
            let answered = service.oneshot(request(method, "/"));
            let answered = tokio::time::timeout(2 * MINUTE, answered).await;
            let found = match &answered {
                Ok(Ok(response)) => Ok((reason(response), remaining(response))),
                Ok(Err(_)) | Err(_) => Err(()),
            };
            assert_eq!(found, told, "{end}");
            // Nobody waits for the limiter of a client that hung up.
            let lost = end == "hang up" && later.is_some();
            let look = counted(builder(&[TEN], routes.clone()), inner);
            assert_eq!(left(&look).await, if lost { "9" } else { "6" }, "{end} {later:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_waits_until_the_cost_is_taken() {
    let later = Some(Duration::from_millis(5));
    let limiter = Late { inner: Arc::new(MemoryLimiter::new()), later };
    let layer = counted(builder(&[TEN], metered()), limiter);
    let began = Instant::now();
    let response = send(&adding(&layer, 6, &Arc::default()), request(Method::GET, "/")).await;
    assert_eq!((remaining(&response), began.elapsed()), ("3", Duration::from_millis(10)));
    let began = Instant::now();
    let response = send(&adding(&layer, 0, &Arc::default()), request(Method::GET, "/")).await;
    assert_eq!((remaining(&response), began.elapsed()), ("2", Duration::from_millis(5)));
}

/// A limiter that fails when the request is served already fails nobody but the operator.
#[tokio::test]
async fn a_cost_that_cannot_be_taken_is_told_to_the_operator() {
    #[derive(Clone, Default)]
    struct Failures(Arc<AtomicUsize>);
    impl Observer for Failures {
        fn limiter_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
            assert_eq!(fallback, LimiterFallback::Allowed);
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    struct Half(MemoryLimiter);
    impl Limiter for Half {
        fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
            match charge.mode {
                ChargeMode::Force => Reply::now(Err(LimiterError::new("gone"))),
                _ => self.0.charge(charge),
            }
        }
    }
    let failures = Failures::default();
    let builder = builder(&[TEN], metered()).observer(failures.clone());
    let layer = counted(builder, Half(MemoryLimiter::new()));
    let response = send(&adding(&layer, 6, &Arc::default()), request(Method::GET, "/")).await;
    assert_eq!((reason(&response), remaining(&response)), ("admitted", "9"));
    assert_eq!(failures.0.load(Ordering::SeqCst), 1);
}

/// A handler tells its client how it stands under each quota by name.
#[tokio::test]
async fn a_grant_lists_the_limits_of_its_request() {
    const ON_ROUTE: &[Quota] = &[Quota::new("route", 3, MINUTE)];
    const BY_PROFILE: Profile = Profile { quotas: &[Quota::new("profile", 7, MINUTE)], ..PROFILE };
    let own = [Quota::new("dark", 5, MINUTE).in_shadow(), TEN];
    for (own, expected) in [
        (Some(&own[..]), &[("ten", 10, 9), ("route", 3, 2)][..]),
        (None, &[("profile", 7, 6), ("route", 3, 2)]),
    ] {
        let store = store(|key| match own {
            Some(own) => key.quotas(own.to_vec()),
            None => key,
        });
        let layer = ApiKeyLayer::builder(BY_PROFILE, store)
            .routes(Routes::new().on(&[], "/", Route::new().quotas(ON_ROUTE)))
            .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
            .build()
            .unwrap();
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            let grant = request.extensions().get::<Grant>().unwrap();
            let limits = grant.limits().map(|(quota, quota_status)| {
                assert_eq!(quota_status.limit(), quota.limit());
                (quota.name(), quota.limit(), quota_status.remaining())
            });
            assert_eq!(limits.collect::<Vec<_>>(), expected);
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        assert_eq!(service.oneshot(request(Method::GET, "/")).await.unwrap().status(), 200);
    }
}

/// A limiter in memory, or one that takes its time and charges nothing before.
struct Late {
    inner: Arc<MemoryLimiter>,
    later: Option<Duration>,
}

impl Limiter for Late {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let Some(later) = self.later else {
            return self.inner.charge(charge);
        };
        let (inner, record) = (Arc::clone(&self.inner), charge.caller.record().unwrap().clone());
        let (cost, mode, now) = (charge.cost, charge.mode, charge.now);
        let general = charge.quotas.general.to_vec();
        Reply::later(async move {
            sleep(later).await;
            let quotas = AppliedQuotas { general: &general, route: &[] };
            inner.charge(Charge { caller: Caller::Key(&record), quotas, cost, mode, now }).await
        })
    }
}
