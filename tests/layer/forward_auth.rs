//! A gate that decides for a proxy: which questions it answers, and which rules it refuses.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::Networks;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{Answer, Answers, CredentialSource, ErrorBody};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{
    Connection, OriginalRequest, OriginalRequestError, ProxyHeaders, TrustedProxies,
};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Grant, Preflight, Profile};

use crate::support::{KEY, PROFILE, reason, store, text};

const PROXY: &str = "10.0.0.1:4711";

fn trusted() -> TrustedProxies {
    let networks = Networks::new(["10.0.0.1/32"]).unwrap();
    TrustedProxies::new(networks, ProxyHeaders::XForwarded).always_proxies()
}

fn builder(profile: Profile) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(profile, store(|key| key)).trusted_proxies(trusted())
}

fn checker(gate: ApiKeyLayerBuilder) -> Result<ApiKeyLayer, String> {
    gate.forward_auth(OriginalRequest::x_forwarded()).build().map_err(|error| error.to_string())
}

/// Asks about a request, from this peer and with these further lines. Returns the status, and what the answer says.
async fn ask(layer: &ApiKeyLayer, peer: Connection, lines: &[(&str, &str)]) -> (u16, String) {
    let admitted = service_fn(|request: Request<()>| async move {
        let account = request.extensions().get::<Grant>().map(|grant| grant.account().to_string());
        let told = format!("{} {} {account:?}", request.method(), request.uri());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(told))))
    });
    let mut question = Request::post("/check").header("x-forwarded-proto", "https");
    for (name, value) in lines {
        question = question.header(*name, *value);
    }
    let mut question = question.body(()).unwrap();
    question.extensions_mut().insert(peer);
    let answer = layer.layer(admitted).oneshot(question).await.unwrap();
    let error = answer.extensions().get::<OriginalRequestError>().map(ToString::to_string);
    let (status, denial) = (answer.status().as_u16(), reason(&answer));
    let told = match (error, denial) {
        (Some(error), _) => {
            assert_eq!(text(answer).await, format!("{error}\n"));
            error
        }
        (None, "admitted") => text(answer).await,
        (None, denial) => denial.to_owned(),
    };
    (status, told)
}

#[tokio::test]
async fn only_what_a_trusted_proxy_asks_is_judged() {
    let routes = Routes::new().get("/v1/users", Route::new());
    let layer = checker(builder(PROFILE).routes(routes)).unwrap();
    let proxy = Connection::plain(PROXY.parse().unwrap());
    let (method, uri) = (("x-forwarded-method", "GET"), ("x-forwarded-uri", "/v1/users?a=1"));
    let (client, key) = (("x-forwarded-for", "203.0.113.9"), ("x-api-key", KEY));
    let path = |path| ("x-forwarded-uri", path);
    for (peer, lines, status, told) in [
        (proxy, &[method, uri, client, key][..], 200, "GET /v1/users?a=1 Some(\"acme\")"),
        (proxy, &[method, uri, client], 401, "credentials_missing"),
        // The question's own method and path count for nothing.
        (proxy, &[("x-forwarded-method", "POST"), uri, client, key], 403, "route_unknown"),
        (proxy, &[method, path("/v1/keys"), client, key], 403, "route_unknown"),
        (proxy, &[method, path("/v1/keys/../users"), client, key], 403, "route_unknown"),
        (proxy, &[method, path("/v1%2Fusers"), client, key], 403, "route_unknown"),
        (proxy, &[method, path("//v1/users"), client, key], 403, "route_unknown"),
        (proxy, &[method, path("/v1/users;a"), client, key], 403, "route_unknown"),
        (proxy, &[uri, client, key], 500, "x-forwarded-method"),
        (proxy, &[method, client, key], 500, "x-forwarded-uri"),
        (proxy, &[method, uri, uri, client, key], 500, "`x-forwarded-uri` twice"),
        (proxy, &[method, path("/v1/users#a"), client, key], 400, "path"),
        // HTTP towards the proxy.
        (proxy, &[("x-forwarded-proto", "http"), method, uri, client, key], 400, "insecure"),
        (Connection::tls("10.0.0.2:1".parse().unwrap()), &[method, uri, client, key], 403, "peer"),
        (Connection::tls("203.0.113.9:1".parse().unwrap()), &[method, uri, key], 403, "peer"),
        (Connection::unix_socket(), &[method, uri, client, key], 403, "peer"),
        (Connection::unknown(), &[method, uri, client, key], 403, "peer"),
    ] {
        let (answered, text) = ask(&layer, peer, lines).await;
        assert_eq!(answered, status, "{lines:?} {text}");
        assert!(text.contains(told), "{lines:?}: `{text}` says nothing of `{told}`");
    }
}

#[tokio::test]
async fn a_question_costs_once_and_a_wrong_one_nothing() {
    const TWO: &[Quota] = &[Quota::new("requests", 2, Duration::from_secs(60))];
    let gate = builder(Profile { quotas: TWO, ..PROFILE });
    let limiter = MemoryLimiter::new();
    let layer = checker(gate.limits(limiter, OnLimiterFailure::Deny)).unwrap();
    let proxy = Connection::plain(PROXY.parse().unwrap());
    let all = [("x-forwarded-method", "GET"), ("x-forwarded-uri", "/a"), ("x-api-key", KEY)];
    for (peer, lines, status) in [
        (proxy, &all[..], 200),
        (proxy, &all[1..], 500),
        (Connection::unknown(), &all, 403),
        (proxy, &all[..2], 401),
        (proxy, &all, 200),
        (proxy, &all, 429),
    ] {
        assert_eq!(ask(&layer, peer, lines).await.0, status, "{lines:?}");
    }
}

#[test]
fn rules_that_forward_auth_cannot_keep_are_refused() {
    const QUERY: &[CredentialSource] = &[CredentialSource::insecure_query("key")];
    const PROTOCOL: &[CredentialSource] =
        &[CredentialSource::bearer(), CredentialSource::websocket_protocol("api-key.")];
    const DENIED: Answer = Answer::insecure_success(ErrorBody::Error("REQUEST_DENIED"));
    let route = |route| builder(PROFILE).routes(Routes::new().get("/a", route));
    let credentials = |credentials| builder(Profile { credentials, ..PROFILE });
    let silent =
        TrustedProxies::new(Networks::new(["10.0.0.1/32"]).unwrap(), ProxyHeaders::XForwarded);
    let succeeding = Answers { key_unknown: DENIED, ..PROFILE.answers };
    let limit = Concurrency::new(1).with_longest_wait(Duration::from_secs(1));
    for (gate, words) in [
        (builder(PROFILE), &[][..]),
        (builder(PROFILE).optional(), &[]),
        (route(Route::new().cost(3)), &[]),
        (route(Route::new().concurrency(limit)), &["`/a`", "`concurrency`", "remove the rule"]),
        (route(Route::new().budget(Duration::from_secs(9))), &["`/a`", "`budget`", "9 s"]),
        (route(Route::new().refund_on(&[500..=599])), &["`/a`", "`refund_on`", "500-599"]),
        (route(Route::new().metered()), &["`/a`", "`metered`"]),
        (
            builder(PROFILE)
                .routes(Routes::new().otherwise(Otherwise::Need(Route::new().metered()))),
            &["`*`", "`metered`"],
        ),
        (credentials(QUERY), &["`credentials`", "query"]),
        (credentials(PROTOCOL), &["`credentials`", "WebSocket"]),
        (builder(PROFILE).allow_preflight(), &["preflights", "`OPTIONS`"]),
        (builder(PROFILE).answer_preflight(Preflight::from_any_origin()), &["preflights"]),
        (builder(PROFILE).grpc_services(["a.v1.Users"]), &["`grpc_services`", "200"]),
        (builder(PROFILE).only_grpc(), &["`grpc_services`"]),
        (builder(PROFILE).select_websocket_protocol("chat"), &["`select_websocket_protocol`"]),
        (builder(Profile { answers: succeeding, ..PROFILE }), &["`answers`", "`insecure_success`"]),
        (builder(PROFILE).trusted_proxies(TrustedProxies::default()), &["no network"]),
        (builder(PROFILE).trusted_proxies(silent), &["`trusted_proxies`", "always_proxies"]),
    ] {
        let complaint = checker(gate).err();
        assert_eq!(complaint.is_none(), words.is_empty(), "{words:?} {complaint:?}");
        for word in words {
            let complaint = complaint.as_deref().unwrap_or_default();
            assert!(complaint.contains(word), "`{complaint}` says nothing of `{word}`");
        }
    }
}

#[test]
fn no_error_is_taken_for_access() {
    let header = http::HeaderName::from_static("x-forwarded-uri");
    for error in [
        OriginalRequestError::Untrusted,
        OriginalRequestError::Missing { header: header.clone() },
        OriginalRequestError::Repeated { header },
        OriginalRequestError::Elsewhere,
        OriginalRequestError::Unreadable { part: "path" },
    ] {
        assert!(error.status() >= StatusCode::BAD_REQUEST, "{error}");
    }
}
