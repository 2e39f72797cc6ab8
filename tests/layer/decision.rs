//! What layers outside of the gate learn: whose request it was, and the decision.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_api_key::decision::GateDecision;
use tower_api_key::key::{AccountId, KeyId};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Preflight, refusal};
use tower_http::trace::TraceLayer;

use crate::log::Log;
use crate::support::{Body, KEY, PROFILE, anonymous, request, store};

fn builder() -> ApiKeyLayerBuilder {
    const TWO: &[Quota] = &[Quota::new("minute", 2, Duration::from_secs(60))];
    let slow = Route::new().cost(0).budget(Duration::from_millis(1));
    let routes = Routes::new()
        .on(&[], "/", Route::new())
        .on(&[], "/free", Route::new().cost(0))
        .on(&[], "/refuse", Route::new().cost(0).metered())
        .on(&[], "/slow", slow)
        .on(&[], "/scope", Route::new().all_of(&["users.write"]));
    ApiKeyLayer::builder(PROFILE, store(|key| key.quotas(TWO.to_vec())))
        .routes(routes)
        .optional()
        .allow_preflight()
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

async fn inner<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    match request.uri().path() {
        "/refuse" => Ok(refusal(Denial::InternalError)),
        "/slow" => std::future::pending().await,
        _ => Ok(Response::default()),
    }
}

pub(super) fn preflight() -> Request<()> {
    let mut request = anonymous(Method::OPTIONS, "/");
    request.headers_mut().insert("origin", "https://a.example".parse().unwrap());
    request.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
    request
}

fn unknown() -> Request<()> {
    let mut request = request(Method::GET, "/");
    let token = "Bearer key_0000000000000000".parse().unwrap();
    request.headers_mut().insert("authorization", token);
    request
}

/// Requests in order, each with the decision and whose request it is.
fn cases() -> Vec<(Request<()>, &'static str, bool)> {
    vec![
        (request(Method::GET, "/"), "admitted", true),
        (request(Method::GET, "/"), "admitted", true),
        (request(Method::GET, "/"), "rate_limited", true),
        (request(Method::GET, "/scope"), "scope_missing", true),
        (request(Method::GET, "/refuse"), "internal_error", true),
        (request(Method::GET, "/slow"), "timed_out", true),
        (request(Method::GET, "/none"), "route_unknown", true),
        (anonymous(Method::GET, "/free"), "anonymous", false),
        (anonymous(Method::GET, "/"), "credentials_missing", false),
        (unknown(), "key_unknown", false),
        (preflight(), "preflight", false),
    ]
}

#[tokio::test]
async fn every_response_has_the_decision_and_its_principal() {
    let answering = Preflight::from_origins(["https://a.example"]);
    for builder in [builder(), builder().answer_preflight(answering)] {
        let layer = builder.decision_in_response().build().unwrap();
        for (request, name, has_principal) in cases() {
            let path = request.uri().clone();
            let response = layer.layer(service_fn(inner)).oneshot(request).await.unwrap();
            let decision = response.extensions().get::<GateDecision>().unwrap();
            assert_eq!(decision.name(), name, "{path}");
            assert_eq!(decision.to_string(), name);
            let account = decision.account().map(AccountId::as_str);
            let key = decision.key_id().map(KeyId::as_str);
            let expected = has_principal.then_some(("acme", "key_1"));
            assert_eq!(account.zip(key), expected, "{name}");
            assert_eq!(decision.denial(), response.extensions().get::<Denial>(), "{name}");
            assert!(!format!("{decision:?}").contains(KEY));
        }
    }
}

#[tokio::test]
async fn a_response_has_no_decision_unless_the_builder_asks_for_it() {
    let layer = builder().build().unwrap();
    for (request, name, _) in cases() {
        let response = layer.layer(service_fn(inner)).oneshot(request).await.unwrap();
        assert!(response.extensions().get::<GateDecision>().is_none(), "{name}");
    }
}

fn log<B>(response: &Response<B>, _: Duration, span: &tracing::Span) {
    if let Some(decision) = response.extensions().get::<GateDecision>() {
        span.record("decision", decision.name());
        span.record("account", decision.account().map(tracing::field::display));
        span.record("key", decision.key_id().map(tracing::field::display));
    }
    tracing::info!(status = response.status().as_u16(), "answered");
}

#[tokio::test]
async fn a_trace_layer_outside_of_the_gate_says_both() {
    let (kept, _guard) = Log::listen();
    let span = |request: &Request<Full<Bytes>>| {
        let path = request.uri().path().to_owned();
        let empty = tracing::field::Empty;
        tracing::info_span!("request", path, account = empty, key = empty, decision = empty)
    };
    let trace =
        TraceLayer::new_for_http().make_span_with(span).on_response(log::<Body>).on_failure(());
    let gate = builder().decision_in_response().build().unwrap();
    let service = ServiceBuilder::new().layer(trace).layer(gate).service_fn(inner);
    for (request, name, has_principal) in cases() {
        service.clone().oneshot(request.map(|()| Full::default())).await.unwrap();
        let line = kept.take();
        assert!(line.contains(&format!("decision=\"{name}\"")), "{line}");
        assert_eq!(line.contains("account=acme key=key_1"), has_principal, "{line}");
        assert!(line.contains("answered status=") && !line.contains(KEY), "{line}");
    }
}
