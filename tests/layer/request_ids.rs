//! Request ids: on every response, in the service's request, and in refusals' bodies.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::Networks;
use tower_api_key::profile::Refusal;
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, PrincipalHeader, PrincipalValue, RequestIdHeader,
};
use tower_api_key::request::{Connection, ProxyHeaders, RequestId, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{
    ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Denial, Observer, Preflight, Profile, refusal,
};

use crate::support::{PROFILE, anonymous, request, store, text};

const NAME: &str = "x-request-id";
const MISSING: Answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Text("{request_id}"))
    .challenge(Challenge::Bare);
const WITH_IDS: Profile = Profile {
    request_id: Some(RequestIdHeader::new("X-Request-Id").prefix("req_")),
    answers: Answers { credentials_missing: MISSING, ..PROFILE.answers },
    ..PROFILE
};

fn builder(profile: Profile<'_>) -> ApiKeyLayerBuilder {
    let routes = Routes::new().any("/", Route::new()).any("/fail", Route::new());
    let slow = Route::new().budget(Duration::from_millis(10));
    let builder = ApiKeyLayer::builder(profile, store(|key| key)).only_grpc();
    builder.routes(routes.any("/slow", slow))
}

/// Returns the response, and the ids that the service found in its request: in the header, and as an extension.
async fn through(
    builder: ApiKeyLayerBuilder,
    request: Request<()>,
) -> (Response<String>, Option<(String, String)>) {
    let seen = Arc::new(Mutex::new(None));
    let found = Arc::clone(&seen);
    let service = builder.build().unwrap().layer(service_fn(move |request: Request<()>| {
        let found = Arc::clone(&found);
        async move {
            let lines: Vec<_> = request.headers().get_all(NAME).iter().collect();
            let id = request.extensions().get::<RequestId>().map(ToString::to_string);
            let header = lines.iter().map(|line| line.to_str().unwrap()).collect::<Vec<_>>();
            *found.lock().unwrap() = Some((header.join(" and "), id.unwrap_or_default()));
            match request.uri().path() {
                "/slow" => std::future::pending().await,
                "/fail" => return Ok::<_, Infallible>(refusal(Denial::InternalError)),
                _ => {}
            }
            let mut response = Response::new(Full::<Bytes>::default());
            for _ in 0..2 {
                response.headers_mut().append(NAME, HeaderValue::from_static("services"));
            }
            Ok(response)
        }
    }));
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let response = Response::from_parts(parts, text(Response::new(body)).await);
    let seen = seen.lock().unwrap().clone();
    (response, seen)
}

#[test]
fn a_request_has_one_id() {
    const NUMBERED: &[PrincipalHeader] =
        &[PrincipalHeader { name: "request-id", value: PrincipalValue::RequestId("req_") }];
    let principal_headers = NUMBERED;
    assert!(builder(Profile { principal_headers, ..PROFILE }).build().is_ok());
    let error = builder(Profile { principal_headers, ..WITH_IDS }).build().unwrap_err().to_string();
    for part in ["`principal_headers`", "`request-id`", "`request_id`", "leave this header out"] {
        assert!(error.contains(part), "{error}");
    }
}

/// Returns the id of a response, which is the same everywhere.
fn id<B>(response: &Response<B>) -> &str {
    let mut lines = response.headers().get_all(NAME).iter();
    let line = lines.next().unwrap().to_str().unwrap();
    assert!(lines.next().is_none());
    assert_eq!(response.extensions().get::<RequestId>().unwrap().as_str(), line);
    line
}

#[tokio::test]
async fn every_response_has_the_id_of_its_request() {
    let preflight = || {
        let mut request = anonymous(Method::OPTIONS, "/");
        request.headers_mut().insert("origin", HeaderValue::from_static("https://a.example"));
        let method = HeaderValue::from_static("PUT");
        request.headers_mut().insert("access-control-request-method", method);
        request
    };
    let mut call = anonymous(Method::POST, "/");
    call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    for (request, status, is_seen) in [
        (request(Method::GET, "/"), 200, true),
        (request(Method::GET, "/fail"), 500, true),
        (request(Method::GET, "/slow"), 503, true),
        (request(Method::GET, "/none"), 403, false),
        (anonymous(Method::GET, "/"), 401, false),
        (anonymous(Method::HEAD, "/"), 401, false),
        (call, 200, false),
        (preflight(), 204, false),
    ] {
        let builder = builder(WITH_IDS).answer_preflight(Preflight::from_any_origin());
        let (response, seen) = through(builder, request).await;
        assert_eq!(response.status(), status);
        let id = id(&response);
        assert!(id.len() == 36 && id.starts_with("req_"), "{id}");
        assert_eq!(seen.is_some(), is_seen, "{status}");
        assert!(seen.is_none_or(|(header, typed)| header == id && typed == id));
        if status == 401 && !response.body().is_empty() {
            assert_eq!(response.body(), id);
        }
        if let Some(message) = response.headers().get("grpc-message") {
            assert_eq!(message, id);
        }
    }
}

#[tokio::test]
async fn without_the_field_nothing_has_an_id() {
    let (response, seen) = through(builder(PROFILE), request(Method::GET, "/")).await;
    assert_eq!(response.headers().get_all(NAME).iter().count(), 2, "the service's own");
    assert!(response.extensions().get::<RequestId>().is_none());
    assert_eq!(seen.unwrap(), (String::new(), String::new()));
    let (response, _) = through(builder(PROFILE), anonymous(Method::GET, "/")).await;
    assert!(!response.headers().contains_key(NAME));
}

#[tokio::test]
async fn only_a_trusted_proxy_chooses_ids() {
    let proxy = Connection::tls("10.0.0.1:4711".parse().unwrap());
    let client = Connection::tls("192.0.2.1:4711".parse().unwrap());
    let long = "a".repeat(128);
    let too_long = "a".repeat(129);
    for (connection, trusts, lines, kept) in [
        (proxy, true, &["abc-123"][..], true),
        (proxy, true, &[&long], true),
        (proxy, true, &[&too_long], false),
        (proxy, true, &["abc", "abc"], false),
        (proxy, true, &["a b"], false),
        (proxy, true, &["<b>"], false),
        (proxy, true, &["a\"b"], false),
        (proxy, true, &[""], false),
        (proxy, true, &[], false),
        (proxy, false, &["abc-123"], false),
        (client, true, &["abc-123"], false),
    ] {
        let networks = Networks::new(["10.0.0.0/8"]).unwrap();
        let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded);
        let builder = builder(WITH_IDS).trusted_proxies(proxies);
        let builder = if trusts { builder.request_id_from_proxies() } else { builder };
        let mut request = request(Method::GET, "/");
        for line in lines {
            request.headers_mut().append(NAME, line.parse().unwrap());
        }
        request.extensions_mut().insert(connection);
        let (response, seen) = through(builder, request).await;
        assert_eq!(response.status(), 200);
        let id = id(&response);
        assert_eq!(lines.first().is_some_and(|line| *line == id), kept, "{lines:?} {id}");
        assert_eq!(seen.unwrap().0, id, "the service never gets the client's line");
    }
}

#[tokio::test]
async fn a_layer_further_out_chooses_the_id() {
    let mut request = anonymous(Method::GET, "/");
    request.extensions_mut().insert(RequestId::new("outer").unwrap());
    let (response, _) = through(builder(WITH_IDS), request).await;
    assert_eq!((id(&response), &**response.body()), ("outer", "outer"));
}

#[tokio::test]
async fn an_observer_gets_the_facts_of_each_answer() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);
    impl Observer for Log {
        fn answered(&self, refusal: &Refusal<'_>) {
            let (status, name) = (refusal.status().as_u16(), refusal.denial().name());
            let account = refusal.record().map(|record| record.account().id().as_str());
            let line = format!("{} {status} {name} {account:?}", refusal.request_id().unwrap());
            self.0.lock().unwrap().push(line);
        }
    }
    let log = Log::default();
    for (request, expected) in [
        (anonymous(Method::GET, "/"), "401 credentials_missing None"),
        (request(Method::GET, "/none"), r#"403 route_unknown Some("acme")"#),
        (request(Method::GET, "/fail"), r#"500 internal_error Some("acme")"#),
    ] {
        let (response, _) = through(builder(WITH_IDS).observer(log.clone()), request).await;
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        assert_eq!(lines, [format!("{} {expected}", id(&response))]);
    }
}

#[test]
fn ids_that_cannot_be_are_refused() {
    let with = |header| Profile { request_id: Some(header), ..PROFILE };
    let own = RequestIdHeader::new;
    for (profile, named) in [
        (with(own("a b")), "a b"),
        (with(own("Content-Type")), "Content-Type"),
        (with(own("Authorization")), "Authorization"),
        (with(own("x-api-key")), "x-api-key"),
        (with(own(NAME).prefix("req ")), "req "),
        (with(own(NAME).prefix("req\n")), "req"),
        (with(own(NAME).prefix(&"a".repeat(65))), "aaa"),
        (
            Profile {
                principal_headers: &[PrincipalHeader { name: NAME, value: PrincipalValue::KeyId }],
                ..with(own(NAME))
            },
            NAME,
        ),
    ] {
        let error = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap_err();
        assert!(matches!(error, ConfigError::Header { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("`request_id`") && error.contains(named), "{error}");
    }
    let builder = || ApiKeyLayer::builder(WITH_IDS, store(|key| key)).request_id_from_proxies();
    assert!(matches!(builder().build(), Err(ConfigError::NoTrustedNetwork)));
    let without = ApiKeyLayer::builder(PROFILE, store(|key| key)).request_id_from_proxies();
    let internet = TrustedProxies::insecure_whole_internet(ProxyHeaders::Forwarded);
    let refused = without.trusted_proxies(internet).build();
    assert!(matches!(refused, Err(ConfigError::RequestIdHeaderMissing)));
}
