//! What a handler gives back of its request's cost, and what a rule by status does.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::caller::Caller;
use tower_api_key::clock::ManualClock;
use tower_api_key::decision::CostError;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{
    Charge, ChargeMode, Limiter, LimiterError, LimiterFallback, MemoryLimiter, Refund,
};
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::{AppliedQuotas, OnLimiterFailure, Quota, QuotaStatus, Share, Verdict};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{
    ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Denial, Grant, Observer, Profile, Reply, refusal,
};

use super::cost::{MINUTE, START, TEN, counted, left, remaining};
use crate::support::{PROFILE, account, reason, request, store, tls};

pub(super) const LIMITED: Profile =
    Profile { limit_headers: LimitHeaders::X_RATE_LIMIT, ..PROFILE };
pub(super) const FAILURES: Route = Route::new().cost(4).refund_on(&[304..=304, 500..=599]);

fn builder(quotas: &[Quota], route: Route) -> ApiKeyLayerBuilder {
    let routes = Routes::new()
        .on(&[Method::PUT], "/look", Route::new().cost(0))
        .on(&[Method::POST], "/slow", route.budget(Duration::from_millis(1)))
        .otherwise(Otherwise::Need(route));
    ApiKeyLayer::builder(LIMITED, store(|key| key.quotas(quotas.to_vec())))
        .routes(routes)
        .clock(ManualClock::starting_at(START))
}

fn grant<B>(request: &Request<B>) -> Grant {
    request.extensions().get::<Grant>().unwrap().clone()
}

type Answer = Result<Response<Full<Bytes>>, io::Error>;

async fn answer(
    layer: &ApiKeyLayer,
    request: Request<()>,
    handler: impl Fn(&Request<()>) -> Answer + Clone,
) -> Result<Response<impl http_body::Body>, io::Error> {
    let inner = service_fn(move |request: Request<()>| {
        let answer = handler(&request);
        async { answer }
    });
    layer.layer(inner).oneshot(request).await
}

#[allow(clippy::unnecessary_wraps)] // Some handlers fail.
fn status(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(Full::default()).unwrap())
}

#[tokio::test]
async fn a_handler_gives_its_cost_back() {
    type Handler = fn(&Grant) -> Result<(), CostError>;
    let none: Handler = |_| Ok(());
    for (handler, left) in [
        (none, "6"),
        (|grant| grant.refund(1), "7"),
        (|grant| grant.refund(1).and_then(|()| grant.refund(2)), "9"),
        (|grant| grant.refund(99), "10"),
        (|grant| grant.refund(0), "6"),
        (|grant| grant.refund_all(), "10"),
        (|grant| grant.add_cost(2).and_then(|()| grant.refund(3)), "7"),
        (|grant| grant.refund(1).and_then(|()| grant.add_cost(3)), "4"),
        (|grant| grant.refund_all().and_then(|()| grant.add_cost(3)), "10"),
        (|grant| grant.add_cost(3).and_then(|()| grant.refund_all()), "10"),
    ] {
        let layer = counted(builder(&[TEN], Route::new().cost(4).metered()), MemoryLimiter::new());
        let kept = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&kept);
        let response = answer(&layer, request(Method::GET, "/"), move |request| {
            let grant = grant(request);
            assert_eq!(handler(&grant), Ok(()));
            keep.lock().unwrap().replace(grant);
            status(200)
        });
        assert_eq!(remaining(&response.await.unwrap()), left, "the headers include the refund");
        assert_eq!(self::left(&layer).await, left);
        let grant = kept.lock().unwrap().take().unwrap();
        assert_eq!(grant.refund(1), Err(CostError::Settled));
        assert_eq!(grant.refund_all(), Err(CostError::Settled));
    }
}

#[tokio::test]
async fn a_rule_gives_the_cost_back_by_the_status_that_the_client_gets() {
    type Handler = fn(&Request<()>) -> Answer;
    let ok: Handler = |_| status(200);
    for (name, handler, left) in [
        ("200", ok, "6"),
        ("304", |_| status(304), "10"),
        ("404", |_| status(404), "6"),
        ("500", |_| status(500), "10"),
        ("599", |_| status(599), "10"),
        ("error", |_| Err(io::Error::other("broken")), "10"),
        ("denial 500", |_| Ok(refusal(Denial::InternalError)), "10"),
        ("denial 503", |_| Ok(refusal(Denial::StoreUnavailable)), "10"),
        ("denial 401", |_| Ok(refusal(Denial::CredentialsMissing)), "6"),
    ] {
        let with_grant = counted(builder(&[TEN], FAILURES), MemoryLimiter::new());
        let gateway = builder(&[TEN], FAILURES).without_grant().strip_credential();
        for layer in [with_grant, counted(gateway, MemoryLimiter::new())] {
            let response = answer(&layer, request(Method::GET, "/"), handler).await;
            if let Ok(response) = response {
                assert_eq!(remaining(&response), left, "{name}");
            }
            assert_eq!(self::left(&layer).await, left, "{name}");
        }
    }
}

#[tokio::test]
async fn a_grpc_call_has_the_status_of_its_code() {
    for (code, left) in
        [("0", "6"), ("3", "6"), ("13", "10"), ("14", "10"), ("2", "10"), ("x", "6")]
    {
        let builder = builder(&[TEN], FAILURES).only_grpc();
        let layer = counted(builder, MemoryLimiter::new());
        for (is_grpc, left) in [(true, left), (false, "6")] {
            let mut call = request(Method::POST, "/users.v1.Users/List");
            if is_grpc {
                let kind = "application/grpc".parse().unwrap();
                call.headers_mut().insert("content-type", kind);
            }
            let before = self::left(&layer).await.parse::<u32>().unwrap();
            answer(&layer, call, move |_| {
                let response = Response::builder().header("grpc-status", code);
                Ok(response.body(Full::default()).unwrap())
            })
            .await
            .unwrap();
            let taken = before - self::left(&layer).await.parse::<u32>().unwrap();
            assert_eq!(10 - taken, left.parse::<u32>().unwrap(), "{code} {is_grpc}");
        }
    }
}

/// A handler may still give the cost back before it is dropped.
#[tokio::test(start_paused = true)]
async fn a_spent_budget_costs_and_a_hang_up_does_too() {
    for (refunds, left) in [(false, "6"), (true, "10")] {
        let layer = counted(builder(&[TEN], FAILURES.metered()), MemoryLimiter::new());
        let pending = service_fn(move |request: Request<()>| {
            assert!(!refunds || grant(&request).refund_all().is_ok());
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
        });
        let response = layer.layer(pending).oneshot(request(Method::POST, "/slow")).await.unwrap();
        assert_eq!((reason(&response), response.status().as_u16()), ("timed_out", 503));
        assert_eq!((remaining(&response), &*self::left(&layer).await), (left, left));
    }
    let route = FAILURES.metered();
    let layer = counted(builder(&[TEN], route), MemoryLimiter::new());
    let asks = service_fn(|request: Request<()>| {
        grant(&request).refund_all().unwrap();
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    });
    let hung_up = layer.layer(asks).oneshot(request(Method::GET, "/"));
    assert!(tokio::time::timeout(MINUTE, hung_up).await.is_err());
    assert_eq!(left(&layer).await, "6");
}

#[tokio::test]
async fn a_window_that_is_over_gets_nothing_back() {
    for (advance, left) in [(0, "10"), (59, "10"), (60, "8")] {
        let clock = ManualClock::starting_at(START);
        let builder = builder(&[TEN], FAILURES).clock(clock.clone());
        let layer = counted(builder, MemoryLimiter::new());
        let other = layer.clone();
        let inner = service_fn(move |_: Request<()>| {
            clock.advance(Duration::from_secs(advance));
            let other = other.clone();
            async move {
                // Another request has opened the next window, if this one is over.
                let service = other.layer(service_fn(|_: Request<()>| async { status(304) }));
                service.oneshot(request(Method::GET, "/")).await.unwrap();
                status(500)
            }
        });
        let response = layer.layer(inner).oneshot(request(Method::GET, "/")).await.unwrap();
        let expected = if advance == 60 { "10" } else { left };
        assert_eq!(remaining(&response), expected, "{advance}");
    }
}

#[tokio::test]
async fn a_shadow_quota_that_took_nothing_gets_nothing_back() {
    let quotas = [TEN, Quota::new("dark", 5, MINUTE).in_shadow()];
    let limiter = Arc::new(MemoryLimiter::new());
    let layer = counted(builder(&quotas, FAILURES), Arc::clone(&limiter));
    answer(&layer, request(Method::GET, "/"), |_| status(200)).await.unwrap();
    answer(&layer, request(Method::GET, "/"), |_| status(500)).await.unwrap();
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    let (cost, mode, now) = (0, ChargeMode::Peek, START);
    let verdict = limiter
        .charge(Charge { caller: Caller::Key(&record), quotas, cost, mode, now })
        .await
        .unwrap();
    let left: Vec<u32> = verdict.statuses().iter().map(QuotaStatus::remaining).collect();
    assert_eq!(left, [6, 1], "the second request found no room in the shadow");
}

/// A limiter that fails while it is told to, and counts what it is asked.
#[derive(Clone, Default)]
struct Switched {
    inner: Arc<MemoryLimiter>,
    is_down: Arc<AtomicBool>,
    later: bool,
    refunds: Arc<AtomicUsize>,
    gives_nothing: bool,
}

impl Limiter for Switched {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        if self.is_down.load(Ordering::SeqCst) {
            return Reply::now(Err(LimiterError::new("down")));
        }
        self.inner.charge(charge)
    }

    fn refunds(&self) -> bool {
        !self.gives_nothing
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Reply::now(Err(LimiterError::new("down")));
        }
        let refunded = self.inner.refund(refund);
        if !self.later {
            return refunded;
        }
        Reply::later(async {
            sleep(Duration::from_millis(5)).await;
            refunded.await
        })
    }
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Observer for Events {
    fn refunded(&self, record: &KeyRecord, cost: u32) {
        self.0.lock().unwrap().push(format!("{} {cost}", record.account().id()));
    }

    fn limiter_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
        self.0.lock().unwrap().push(format!("{fallback:?}"));
    }
}

impl Events {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_waits_for_the_refund_and_the_observer_hears_of_it() {
    let limiter = Switched { later: true, ..Switched::default() };
    let events = Events::default();
    let layer = counted(builder(&[TEN], FAILURES).observer(events.clone()), limiter.clone());
    let began = tokio::time::Instant::now();
    let response = answer(&layer, request(Method::GET, "/"), |_| status(500)).await.unwrap();
    let waited = Duration::from_millis(5);
    assert_eq!((remaining(&response), began.elapsed()), ("10", waited));
    answer(&layer, request(Method::GET, "/"), |_| status(200)).await.unwrap();
    assert_eq!((events.take(), began.elapsed()), (vec!["acme 4".to_owned()], waited));
    assert_eq!(limiter.refunds.load(Ordering::SeqCst), 1);
}

/// What this process has counted is not given back to the limiter, and the other way round.
#[tokio::test]
async fn a_cost_is_given_back_where_it_was_counted() {
    const HALF: OnLimiterFailure =
        OnLimiterFailure::Local(Share::of(std::num::NonZeroU32::new(2).unwrap()));
    // The choice, whether the limiter is down for the charge and for the refund, then what is left in each.
    for (choice, at_charge, at_refund, told, shared, asked) in [
        (HALF, false, false, "10", "10", 1),
        (HALF, false, true, "6", "6", 1),
        (HALF, true, false, "5", "10", 0),
        (HALF, true, true, "5", "10", 0),
        (OnLimiterFailure::Allow, true, false, "", "10", 0),
        (OnLimiterFailure::Allow, false, true, "6", "6", 1),
    ] {
        let limiter = Switched::default();
        let events = Events::default();
        let builder = builder(&[TEN], FAILURES).observer(events.clone());
        let layer = builder.limits(limiter.clone(), choice).build().unwrap();
        limiter.is_down.store(at_charge, Ordering::SeqCst);
        let is_down = Arc::clone(&limiter.is_down);
        let response = answer(&layer, request(Method::GET, "/"), move |_| {
            is_down.store(at_refund, Ordering::SeqCst);
            status(500)
        });
        let response = response.await.unwrap();
        let found = response.headers().get("x-ratelimit-remaining");
        let found = found.map_or("", |value| value.to_str().unwrap());
        let case = format!("{choice:?} {at_charge} {at_refund}");
        assert_eq!(found, told, "{case}");
        assert_eq!(limiter.refunds.load(Ordering::SeqCst), asked, "{case}");
        let failed = at_refund && !at_charge;
        assert_eq!(layer.limiter_failures().not_refunded, u64::from(failed), "{case}");
        let told = events.take();
        assert_eq!(told.contains(&"NotRefunded".to_owned()), failed, "{case} {told:?}");
        limiter.is_down.store(false, Ordering::SeqCst);
        assert_eq!(left(&layer).await, shared, "{case}");
    }
}

#[tokio::test]
async fn a_limiter_that_gives_nothing_back_is_found_when_the_gate_is_built() {
    let limiter = || Switched { gives_nothing: true, ..Switched::default() };
    let refused = builder(&[TEN], FAILURES).limits(limiter(), OnLimiterFailure::Deny).build();
    let Err(error @ ConfigError::Route(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("`refund_on`"), "{error}");
    // A handler may only want to add.
    let layer = counted(builder(&[TEN], Route::new().metered()), limiter());
    let response = answer(&layer, request(Method::GET, "/"), |request| {
        assert_eq!(grant(request).refund(1), Err(CostError::NotRefundable));
        assert_eq!(grant(request).refund_all(), Err(CostError::NotRefundable));
        assert_eq!(grant(request).add_cost(1), Ok(()));
        status(200)
    });
    assert_eq!(remaining(&response.await.unwrap()), "8");
    let layer = counted(builder(&[TEN], Route::new()), limiter());
    let response = answer(&layer, request(Method::GET, "/"), |request| {
        assert_eq!(grant(request).refund(1), Err(CostError::NotMetered));
        status(200)
    });
    assert_eq!(remaining(&response.await.unwrap()), "9");
}

/// A gate that counts nothing gives nothing back, and fails nobody.
#[tokio::test]
async fn a_gate_without_limits_takes_the_rule() {
    let layer = builder(&[TEN], FAILURES.metered()).without_limits().build().unwrap();
    for code in [200, 500] {
        let response = answer(&layer, request(Method::GET, "/"), |request| {
            assert_eq!(grant(request).refund_all(), Ok(()));
            status(code)
        });
        assert_eq!(response.await.unwrap().status(), code);
    }
}

#[tokio::test]
async fn an_explanation_lists_the_rule() {
    let layer = counted(builder(&[TEN], FAILURES), MemoryLimiter::new());
    let record = KeyRecord::builder("key_1", account("acme")).quotas([TEN]).build().unwrap();
    let explained = layer.explain(&request(Method::GET, "/"), tls(), Some(&record), START);
    assert_eq!(explained.refund_on(), [304..=304, 500..=599]);
    let text = explained.to_string();
    let lines = "RequestLimits          depends on the moment\n  refunded on status 304 to 304\n  \
                 refunded on status 500 to 599\n";
    assert!(text.contains(lines), "{text}");
    let explained = layer.explain(&request(Method::PUT, "/look"), tls(), Some(&record), START);
    assert!(explained.refund_on().is_empty() && !explained.to_string().contains("refunded"));
}
