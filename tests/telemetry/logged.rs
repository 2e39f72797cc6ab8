//! What `TracingObserver` logs.

use http::Method;
use tower_api_key::telemetry::TracingObserver;
use tracing::Level;

use super::world::{Down, builder, counted, everything, requests, send};
use crate::log::Log;
use crate::support::{KEY, request};

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
