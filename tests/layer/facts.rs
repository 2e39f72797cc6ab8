//! Answers with facts: placeholders in the texts of a profile, and functions of the facts.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, Challenge, CustomBody, ErrorBody, Expected, Refusal, RequiredHeader,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Denial, Profile, refusal};

use crate::support::{PROFILE, anonymous, greeting, request, send, store, text};

const fn row(status: StatusCode, text: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::Text(text))
}

const FACTS: Profile = Profile {
    required_headers: &[RequiredHeader { name: "Api-Version", expected: Expected::Date }],
    answers: Answers {
        credentials_missing: row(StatusCode::UNAUTHORIZED, "{status} {method} {path} {{}}")
            .challenge(Challenge::Bare),
        credentials_malformed: row(StatusCode::BAD_REQUEST, "{problem}"),
        key_expired: row(StatusCode::GONE, "{insecure_expired_at}"),
        header_refused: row(StatusCode::BAD_REQUEST, "{header} is {problem}"),
        scope_missing: row(StatusCode::FORBIDDEN, "{account}: {scope}; {scopes}; {needed_scopes}"),
        route_unknown: row(
            StatusCode::NOT_FOUND,
            "{documentation_url} {environment|no environment}",
        )
        .documentation_url("https://docs.example.com/routes"),
        rate_limited: row(
            StatusCode::TOO_MANY_REQUESTS,
            "{limit|?} by {quota|?} in {window|?} s, {remaining|?} left; wait {retry_after} s",
        ),
        concurrency_exceeded: row(StatusCode::TOO_MANY_REQUESTS, "{limit} at once"),
        timed_out: row(
            StatusCode::SERVICE_UNAVAILABLE,
            "{method} {path} took {budget} s of {key_id}",
        ),
        internal_error: row(StatusCode::INTERNAL_SERVER_ERROR, "{path} by {account|an unknown}"),
        ..PROFILE.answers
    },
    ..PROFILE
};

const MINUTE: &[Quota] = &[Quota::new("minute", 2, Duration::from_secs(60))];
const HOUR: &[Quota] = &[
    Quota::new("hour", 1, Duration::from_secs(3_600)),
    Quota::new("other", 1, Duration::from_secs(60)),
];

fn builder(change: fn(KeyRecordBuilder) -> KeyRecordBuilder) -> tower_api_key::ApiKeyLayerBuilder {
    let routes = Routes::new()
        .get("/all", Route::new().all_of(&["held", "users.read", "users.list"]))
        .get("/any", Route::new().any_of(&["a", "b"]))
        .get("/sets", Route::new().all_of(&["held"]).any_of_sets(&[&["held", "a"], &["full"]]))
        .get("/minute", Route::new().quotas(MINUTE))
        .get("/hour", Route::new().quotas(HOUR))
        .get("/busy", Route::new().concurrency(Concurrency::new(3)))
        .get("/slow", Route::new().budget(Duration::from_millis(20)))
        .get("/failing", Route::new())
        .get("/limited", Route::new());
    ApiKeyLayer::builder(FACTS, store(change))
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .clock(Arc::new(ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000))))
}

/// Sends a request through the gate, around a service that fails at some paths.
async fn answer(layer: &ApiKeyLayer, request: Request<()>) -> Response<String> {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(match request.uri().path() {
            "/slow" => std::future::pending().await,
            "/failing" => refusal(Denial::InternalError),
            "/limited" => refusal(Denial::RateLimited { retry_after: Duration::from_secs(9) }),
            _ => Response::new(Full::<bytes::Bytes>::default()),
        })
    }));
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    Response::from_parts(parts, text(Response::new(body)).await)
}

fn versioned(path: &str) -> Request<()> {
    let mut request = request(Method::GET, path);
    request.headers_mut().insert("api-version", HeaderValue::from_static("2026-11-29"));
    request
}

#[tokio::test]
async fn texts_have_the_facts_of_the_refusal() {
    let layer = builder(|key| key.scopes(["held"])).build().unwrap();
    let mut basic = anonymous(Method::GET, "/");
    basic.headers_mut().insert("authorization", HeaderValue::from_static("Bearer a b"));
    for (request, expected) in [
        (anonymous(Method::GET, "/users?page=1"), "401 GET /users {}"),
        (basic, "character outside the alphabet"),
        (request(Method::GET, "/all"), "api-version is missing"),
        (
            versioned("/all"),
            "acme: users.read; users.read, users.list; held, users.read, users.list",
        ),
        (versioned("/any"), "acme: a; a, b; a, b"),
        (versioned("/sets"), "acme: a; a, full; held, a, full"),
        (versioned("/none"), "https://docs.example.com/routes no environment"),
        (versioned("/slow"), "GET /slow took 1 s of key_1"),
        (versioned("/failing"), "/failing by acme"),
        (versioned("/limited"), "? by ? in ? s, ? left; wait 9 s"),
        (versioned("/minute"), ""),
        (versioned("/minute"), ""),
        (versioned("/minute"), "2 by minute in 60 s, 0 left; wait 30 s"),
        (versioned("/hour"), ""),
        (versioned("/hour"), "1 by hour in 3600 s, 0 left; wait 3600 s"),
    ] {
        let path = request.uri().path().to_owned();
        let answered = answer(&layer, request).await;
        let expected = if answered.status() == 429 && path != "/limited" {
            let (words, _) = expected.split_once("wait").unwrap();
            let wait = answered.headers()["retry-after"].to_str().unwrap();
            format!("{words}wait {wait} s")
        } else {
            expected.to_owned()
        };
        assert_eq!(answered.body(), &expected, "{path}");
        if answered.status() != 200 {
            assert_eq!(answered.headers()["content-length"], expected.len().to_string().as_str());
        }
    }
}

#[tokio::test]
async fn a_limit_of_simultaneous_requests_is_a_fact() {
    let service = greeting(&builder(|key| key).build().unwrap());
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(send(&service, versioned("/busy")).await);
    }
    assert_eq!(text(send(&service, versioned("/busy")).await).await, "3 at once");
}

#[tokio::test]
async fn before_authentication_a_text_has_nothing_of_the_key() {
    fn all(refusal: &Refusal<'_>) -> CustomBody {
        let record = refusal.record().map(|record| record.id().to_string());
        let content =
            format!("{record:?} {:?} {:?}", refusal.quota(), refusal.insecure_expired_at());
        CustomBody { content_type: HeaderValue::from_static("text/plain"), content: content.into() }
    }
    let expired = |key: KeyRecordBuilder| key.expires(Timestamp::from_unix_seconds(1_700_000_000));
    let layer = builder(expired).build().unwrap();
    assert_eq!(answer(&layer, versioned("/all")).await.body(), "2023-11-14T22:13:20Z");
    let gone = Answer::new(StatusCode::GONE, ErrorBody::Custom(all));
    let profile = Profile { answers: Answers::all(gone), ..PROFILE };
    let store = store(|key| key.revoked(true).expires(Timestamp::from_unix_seconds(1)));
    let layer = ApiKeyLayer::builder(profile, store).build().unwrap();
    assert_eq!(answer(&layer, request(Method::GET, "/")).await.body(), "None None None");
}

/// What the client chose adds no element and no parameter to a list; what the operator chose may.
#[tokio::test]
async fn a_path_in_a_header_is_one_value() {
    let scope_missing = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Text("{path}"))
        .headers(&[("x-report", "id=\"{path}\", needs=\"{scopes}\"")]);
    let answers = Answers { scope_missing, ..PROFILE.answers };
    let routes = Routes::new().get("/{any}", Route::new().any_of(&["a", "b"]));
    let profile = Profile { answers, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).routes(routes).build().unwrap();
    let answered = answer(&layer, request(Method::GET, "/x,y=z")).await;
    assert_eq!(answered.headers()["x-report"], r#"id="/x%2Cy=z", needs="a, b""#);
    assert_eq!(answered.body(), "/x,y=z");
}

#[tokio::test]
async fn a_function_gets_all_facts() {
    fn all(refusal: &Refusal<'_>) -> CustomBody {
        let Denial::ScopeMissing { needed } = refusal.denial() else { panic!("{refusal:?}") };
        let (record, method) = (refusal.record().unwrap(), refusal.method().unwrap());
        let content = format!(
            "{} {method} {} {} {} {:?} {:?}",
            refusal.status().as_u16(),
            refusal.path().unwrap(),
            record.account().id(),
            record.id(),
            needed.choice(),
            refusal.documentation_url(),
        );
        CustomBody { content_type: HeaderValue::from_static("text/plain"), content: content.into() }
    }
    fn headers(refusal: &Refusal<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in ["x-status", "content-type", "retry-after", "content-length", "grpc-status"] {
            headers.append(name, HeaderValue::from(refusal.status().as_u16()));
            headers.append(name, HeaderValue::from_static("second"));
        }
        headers
    }
    let scope_missing = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Custom(all))
        .documentation_url("/docs")
        .headers_from(headers);
    let answers = Answers { scope_missing, ..PROFILE.answers };
    let routes = Routes::new().get("/any", Route::new().any_of(&["a", "b"]));
    let profile = Profile { answers, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).routes(routes).build().unwrap();
    let answered = answer(&layer, request(Method::GET, "/any?a=b")).await;
    assert_eq!(answered.body(), r#"403 GET /any acme key_1 AnyOf Some("/docs")"#);
    let lines: Vec<_> = answered.headers().get_all("x-status").iter().collect();
    assert_eq!(lines, ["403", "second"]);
    assert_eq!(answered.headers()["content-type"], "text/plain");
    assert_eq!(answered.headers().get_all("content-length").iter().count(), 1);
    assert!(!answered.headers().contains_key("grpc-status"));
    assert!(!answered.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_gates_own_function_is_asked_first() {
    let secret = String::from("of this process");
    let layer =
        ApiKeyLayer::builder(PROFILE, store(|key| key)).only_grpc().body_from(move |refusal| {
            let path = refusal.path().filter(|path| *path != "/profile")?;
            let content_type = HeaderValue::from_static("text/plain");
            Some(CustomBody { content_type, content: format!("{path} {secret}").into() })
        });
    let service = greeting(&layer.build().unwrap());
    let own = send(&service, anonymous(Method::GET, "/own")).await;
    assert_eq!(
        (own.status(), &*text(own).await),
        (StatusCode::UNAUTHORIZED, "/own of this process")
    );
    let of_row = text(send(&service, anonymous(Method::GET, "/profile")).await).await;
    assert!(of_row.starts_with(r#"{"error""#), "{of_row}");
    let mut call = anonymous(Method::POST, "/call");
    call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let call = send(&service, call).await;
    assert_eq!(call.headers()["grpc-message"], "/call of this process");
}

#[tokio::test]
async fn grpc_and_head_get_the_same_facts() {
    let layer = builder(|key| key).only_grpc().build().unwrap();
    let mut call = anonymous(Method::POST, "/a%20b");
    call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let called = answer(&layer, call).await;
    assert_eq!(called.headers()["grpc-message"], "401 POST /a%2520b {}");
    let head = answer(&layer, anonymous(Method::HEAD, "/a")).await;
    let length = "401 HEAD /a {}".len().to_string();
    assert_eq!(
        (head.headers()["content-length"].to_str().unwrap(), &**head.body()),
        (&*length, "")
    );
}
