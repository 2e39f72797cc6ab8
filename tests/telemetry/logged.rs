//! What `TracingObserver` logs.

use http::Method;
use http::header::CONTENT_TYPE;
use tower_api_key::ApiKeyLayer;
use tower_api_key::key::Networks;
use tower_api_key::request::{Connection, OriginalRequest, ProxyHeaders, TrustedProxies};
use tower_api_key::telemetry::TracingObserver;
use tracing::Level;

use super::world::{Down, builder, counted, everything, requests, send};
use crate::log::Log;
use crate::support::{KEY, PROFILE, request, store};

#[tokio::test(start_paused = true)]
async fn each_request_is_one_event_with_its_fields() {
    let (log, _guard) = Log::listen_from(Level::DEBUG);
    let layer = counted().observer(TracingObserver::new()).build().unwrap();
    let key = "key_id=key_1 account=acme";
    let quota = |left: &str| format!(r#" quota="{left}""#);
    for ((request, status), (level, decision, facts, route)) in requests().into_iter().zip([
        ("DEBUG", "admitted", format!("{key} route=\"/v1/users/{{id}}\""), true),
        ("DEBUG", "admitted", format!("{key} route=\"/v1/users/{{id}}\""), true),
        ("INFO", "refused\" denial=\"account_mismatch", format!("{key} route=\"/refuse\""), true),
        (
            "INFO",
            "refused\" denial=\"rate_limited",
            format!("{key} route=\"/v1/users/{{id}}\""),
            true,
        ),
        ("INFO", "refused\" denial=\"scope_missing", format!("{key} route=\"/scope\""), true),
        ("INFO", "refused\" denial=\"route_unknown", key.to_owned(), true),
        ("DEBUG", "anonymous", "route=\"/free\"".to_owned(), false),
        ("INFO", "refused\" denial=\"credentials_missing", String::new(), false),
        ("INFO", "refused\" denial=\"insecure_transport", String::new(), false),
    ]) {
        let path = request.uri().path().to_owned();
        assert_eq!(send(&layer, vec![request]).await, [status]);
        let text = log.take();
        let line = text.lines().find(|line| line.contains("tower_api_key::request: request "));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(&format!(" {level} tower_api_key::request: ")), "{path} {line}");
        assert!(line.contains(&format!(r#"vendor="Test" decision="{decision}""#)), "{line}");
        assert!(line.contains(&facts), "{facts} {line}");
        assert_eq!(line.contains(&quota("minute")), route, "{line}");
        assert!(line.contains(" client=192.0.2.") && line.contains(" request_id=\""), "{line}");
        let rest = format!(
            r#"end="answered" http.request.method="GET" http.response.status_code={status}"#
        );
        assert!(line.contains(&rest), "{line}");
        assert!(!text.contains(KEY) && !text.contains("/v1/users/1"), "{text}");
    }
}

/// A 503 has a warning with its cause, though nothing but the observer of this crate is set.
#[tokio::test(start_paused = true)]
async fn a_503_is_never_silent() {
    let (log, _guard) = Log::listen();
    let layer = builder(Down).without_limits().observer(TracingObserver::new()).build().unwrap();
    assert_eq!(send(&layer, vec![request(Method::GET, "/free")]).await, [503]);
    let text = log.take();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(" WARN ")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("the store could not answer cause="), "{text}");
    assert!(lines[0].ends_with(": connection reset"), "{text}");
    assert!(lines[1].contains(r#"denial="store_unavailable""#), "{text}");

    everything(TracingObserver::new()).await;
    let text = log.take();
    let refused = text.lines().filter(|line| line.contains("http.response.status_code=503"));
    assert_eq!(refused.clone().count(), 3, "{text}");
    assert!(refused.clone().all(|line| line.contains(" WARN ") && line.contains(" cause=")));
    let causes = text.lines().filter(|line| line.contains("connection reset"));
    assert!(causes.clone().all(|line| line.contains(" WARN ")));
    for message in ["the limiter could not", "the limiter of simultaneous requests could not"] {
        for fallback in ["allowed", "denied"] {
            let fallback = format!("fallback=\"{fallback}\"");
            let is_it = |line: &str| line.contains(message) && line.contains(&fallback);
            assert!(causes.clone().any(is_it), "{message} {fallback} {text}");
        }
    }
    assert!(text.contains("a key was used outside of its allowlist key_id=key_1 account=acme"));
    assert!(!text.contains(KEY));
}

/// A refused call of gRPC has the status 200, and is logged as a refusal over HTTP is.
#[tokio::test(start_paused = true)]
async fn a_call_of_grpc_that_fails_is_a_warning_with_its_cause() {
    let (log, _guard) = Log::listen();
    let layer = builder(Down).without_limits().grpc_services(["vendors.v1.Users"]);
    let layer = layer.observer(TracingObserver::new()).build().unwrap();
    let mut call = request(Method::POST, "/vendors.v1.Users/ListUsers");
    call.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
    assert_eq!(send(&layer, vec![call]).await, [200]);
    let text = log.take();
    let line = text.lines().find(|line| line.contains("request refused")).unwrap();
    assert!(line.contains(" WARN tower_api_key::request: "), "{text}");
    for part in [r#"denial="store_unavailable""#, "status_code=200", "cause=the key store"] {
        assert!(line.contains(part), "{part}: {text}");
    }
}

/// A proxy that is set up wrongly, and a peer that passes for a proxy, are found by the log.
#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_judged_says_who_asked_and_why() {
    let (log, _guard) = Log::listen();
    let networks = Networks::new(["192.0.2.1/32"]).unwrap();
    let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded).always_proxies();
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).trusted_proxies(proxies);
    let layer = layer.forward_auth(OriginalRequest::x_forwarded());
    let layer = layer.observer(TracingObserver::new()).build().unwrap();
    for (peer, status, level, cause) in [
        ("192.0.2.1:4711", 500, "WARN", "the proxy sent no `x-forwarded-method`"),
        ("192.0.2.9:4711", 403, "INFO", "the peer is no trusted proxy"),
    ] {
        let mut question = request(Method::GET, "/check?token=canary");
        question.extensions_mut().insert(Connection::tls(peer.parse().unwrap()));
        if peer.starts_with("192.0.2.1:") {
            question.headers_mut().insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
        }
        assert_eq!(send(&layer, vec![question]).await, [status], "{peer}");
        let text = log.take();
        let line = text.lines().find(|line| line.contains("request not judged")).unwrap();
        assert!(line.contains(&format!(" {level} tower_api_key::request: ")), "{text}");
        assert!(line.contains(r#"decision="unjudged""#) && line.contains(cause), "{text}");
        let client = if status == 500 { "192.0.2.7" } else { "192.0.2.9" };
        assert!(line.contains(&format!(" client={client} ")), "{text}");
        assert!(!text.contains("canary") && !text.contains(KEY), "{text}");
    }
}
