//! Each quota's own choice while the limiter cannot answer, and who learns what became of requests.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::LimiterFallback::{self, Allowed, Denied, Immaterial, Local};
use tower_api_key::limits::{Charge, Limiter, LimiterError, LimiterFailures};
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::{OnLimiterFailure, Quota, Share, Verdict};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{ApiKeyLayer, Grant, Observer, Profile, Reply};

use crate::support::{PROFILE, greeting, reason, request, send, store};

const MINUTE: Duration = Duration::from_secs(60);
const HALF: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));
const TEN: Quota = Quota::new("ten", 10, MINUTE);
const STRUCTURED: Profile = Profile { limit_headers: LimitHeaders::STRUCTURED, ..PROFILE };

/// A limiter that fails, at once or later.
#[derive(Clone, Copy)]
enum Broken {
    Now,
    Later,
}

impl Limiter for Broken {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let failed = || Err(LimiterError::new("connection reset"));
        match self {
            Self::Now => Reply::now(failed()),
            Self::Later => Reply::later(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                failed()
            }),
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<LimiterFallback>>>);

impl Log {
    fn heard(&self) -> Vec<LimiterFallback> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn limiter_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
        self.0.lock().unwrap().push(fallback);
    }
}

fn layer(
    broken: Broken,
    quotas: &[Quota],
    otherwise: OnLimiterFailure,
    route: Route,
) -> (ApiKeyLayer, Log) {
    let log = Log::default();
    let layer = ApiKeyLayer::builder(STRUCTURED, store(|key| key.quotas(quotas.to_vec())))
        .routes(Routes::new().otherwise(Otherwise::Need(route)))
        .limits(broken, otherwise)
        .observer(log.clone())
        .build();
    (layer.unwrap(), log)
}

fn counted(failures: LimiterFailures) -> (u64, u64, u64) {
    (failures.denied, failures.allowed, failures.local)
}

/// With a concurrency limit the limiter is asked twice for a request, which is counted once.
#[tokio::test(start_paused = true)]
async fn every_request_is_counted_and_told_once() {
    let dark = TEN.in_shadow();
    for broken in [Broken::Now, Broken::Later] {
        for route in [Route::new(), Route::new().concurrency(Concurrency::new(1))] {
            for (quotas, otherwise, expected, fallback, failures) in [
                (vec![TEN], OnLimiterFailure::Deny, "limiter_unavailable", Denied, (1, 0, 0)),
                (vec![TEN], OnLimiterFailure::Allow, "admitted", Allowed, (0, 1, 0)),
                (vec![TEN], HALF, "admitted", Local, (0, 0, 1)),
                (vec![dark.clone()], OnLimiterFailure::Deny, "admitted", Allowed, (0, 1, 0)),
            ] {
                let (layer, log) = layer(broken, &quotas, otherwise, route);
                let response = send(&greeting(&layer), request(Method::GET, "/")).await;
                assert_eq!(reason(&response), expected);
                assert_eq!(log.heard(), [fallback]);
                assert_eq!(counted(layer.limiter_failures()), failures);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_counts_its_share_by_itself() {
    for broken in [Broken::Now, Broken::Later] {
        for route in [Route::new(), Route::new().concurrency(Concurrency::new(1))] {
            let other = Quota::new("other", 7, MINUTE).with_failure_choice(OnLimiterFailure::Allow);
            let (layer, log) = layer(broken, &[other, TEN], HALF, route);
            let service = greeting(&layer);
            for left in (0..5).rev() {
                let response = send(&service, request(Method::GET, "/")).await;
                assert_eq!(reason(&response), "admitted");
                assert_eq!(log.heard(), [Local]);
                // Of the share; of the other nobody knows anything.
                assert_eq!(response.headers()["ratelimit-policy"], r#""ten";q=5;w=60"#);
                let quota_status = format!(r#""ten";r={left};t=60"#);
                assert_eq!(response.headers()["ratelimit"], quota_status);
            }
            let refused = send(&service, request(Method::GET, "/")).await;
            assert_eq!((reason(&refused), refused.status().as_u16()), ("rate_limited", 429));
            assert!(refused.headers().contains_key("retry-after"));
            assert_eq!((log.heard(), counted(layer.limiter_failures())), (vec![Local], (0, 0, 6)));
        }
    }
}

#[tokio::test]
async fn one_quota_that_denies_outweighs_the_rest() {
    const DENIES: &[Quota] =
        &[Quota::new("strict", 9, MINUTE).with_failure_choice(OnLimiterFailure::Deny)];
    let general = [TEN, Quota::new("lax", 7, MINUTE).with_failure_choice(OnLimiterFailure::Allow)];
    let (layer, log) = layer(Broken::Now, &general, HALF, Route::new().quotas(DENIES));
    let refused = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!((reason(&refused), refused.status().as_u16()), ("limiter_unavailable", 503));
    assert_eq!((log.heard(), counted(layer.limiter_failures())), (vec![Denied], (1, 0, 0)));
}

#[tokio::test]
async fn a_refusal_for_another_reason_stays_what_it_is() {
    let route = Route::new().all_of(&["users.read"]);
    for choice in [OnLimiterFailure::Deny, OnLimiterFailure::Allow, HALF] {
        let (layer, log) = layer(Broken::Now, &[TEN], choice, route);
        let refused = send(&greeting(&layer), request(Method::GET, "/")).await;
        assert_eq!(reason(&refused), "scope_missing");
        assert!(!refused.headers().contains_key("ratelimit"));
        assert_eq!((log.heard(), counted(layer.limiter_failures())), (vec![Immaterial], (0, 0, 0)));
    }
}

#[tokio::test]
async fn what_a_handler_adds_is_counted_by_the_node_too() {
    for (choice, fallback, told) in
        [(HALF, Local, Some(r#""ten";r=1;t=60"#)), (OnLimiterFailure::Allow, Allowed, None)]
    {
        let (layer, log) = layer(Broken::Now, &[TEN], choice, Route::new().metered());
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            request.extensions().get::<Grant>().unwrap().add_cost(3).unwrap();
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
        assert_eq!(reason(&response), "admitted");
        let quota_status = response.headers().get("ratelimit").map(|it| it.to_str().unwrap());
        assert_eq!((quota_status, log.heard()), (told, vec![fallback; 2]));
    }
}

/// Nobody counts it, and it would refuse nothing anyway.
#[tokio::test]
async fn a_quota_in_shadow_needs_no_limiter() {
    let store = store(|key| key.quotas([TEN.in_shadow()]));
    let layer = ApiKeyLayer::builder(PROFILE, store).build().unwrap();
    assert_eq!(reason(&send(&greeting(&layer), request(Method::GET, "/")).await), "admitted");
}
