//! Which bodies are shaped, which pass and which are refused.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::shaping::{OnUnshaped, ShapingFailure, ShapingLayer};

use super::origin::{Frames, MAX_BYTES, Origin, Outcome, Sent, json};
use crate::support::{PROFILE, request, store};

pub(super) const BLOCKED: [(&str, &str); 2] = [("blocklist", "secret"), ("inflection", "camel")];
pub(super) const RENAMED: [(&str, &str); 1] = [("inflection", "camel")];

pub(super) const BODY: &str = r#"{"a_b":1,"secret":"S"}"#;

pub(super) fn frames(frames: &[Sent]) -> Response<Frames> {
    json("", &[]).map(|_| Frames(frames.iter().cloned().map(Ok).collect()))
}

/// A response that cannot be shaped is refused with a blocklist, or where the layer refuses.
async fn cannot_be_shaped(response: &Response<Full<Bytes>>, failure: &ShapingFailure) {
    let body = response.body().clone().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    for (on_unshaped, metadata, passes) in [
        (OnUnshaped::Refuse, &BLOCKED[..], false),
        (OnUnshaped::Pass, &BLOCKED[..], false),
        (OnUnshaped::Refuse, &RENAMED[..], false),
        (OnUnshaped::Pass, &RENAMED[..], true),
    ] {
        let outcome = Origin::new(on_unshaped, metadata).answers(response.clone()).await;
        assert_eq!(outcome.failures, std::slice::from_ref(failure), "{response:?}");
        if passes {
            assert_eq!(outcome.status, response.status());
            assert_eq!(outcome.body.unwrap(), body);
        } else {
            assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR, "{response:?}");
            assert!(!outcome.body.unwrap().contains("secret"));
        }
    }
    let outcome = Origin::new(OnUnshaped::Refuse, &[]).answers(response.clone()).await;
    assert_eq!(outcome.status, response.status(), "no shape, no reason to refuse");
    assert_eq!(outcome.body.unwrap(), body);
}

#[tokio::test]
async fn what_cannot_be_shaped_is_refused_or_passes_by_choice() {
    let too_large: &str = Box::leak(format!("{BODY:<1001}").into_boxed_str());
    let deep = format!("{}{BODY}{}", "[".repeat(300), "]".repeat(300));
    let deep: &str = Box::leak(deep.into_boxed_str());
    let partial = |mut response: Response<Full<Bytes>>| {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response
    };
    for (response, failure) in [
        (json(too_large, &[]), ShapingFailure::TooLarge { max_bytes: MAX_BYTES }),
        (json(BODY, &[("content-encoding", "gzip")]), ShapingFailure::Encoded),
        (partial(json(BODY, &[("content-range", "bytes 0-9/22")])), ShapingFailure::Partial),
        (
            partial(json(BODY, &[("content-type", "multipart/byteranges; boundary=x")])),
            ShapingFailure::Stream,
        ),
        (json(BODY, &[("content-type", "application/x-ndjson")]), ShapingFailure::Stream),
        (json(BODY, &[("content-type", "text/event-stream")]), ShapingFailure::Stream),
        (json("{\"secret\":1", &[]), ShapingFailure::NotJson),
        (json("{\"secret\":1}{\"secret\":2}", &[]), ShapingFailure::NotJson),
        (json("hello secret", &[("content-type", "")]), ShapingFailure::NotJson),
        (json("{\"\u{0}secret\":1}", &[]), ShapingFailure::NotJson),
        (json(deep, &[]), ShapingFailure::TooDeep { max_depth: 256 }),
        (json("", &[]).map(|_| Full::from(&b"{\"secret\":\"\xff\"}"[..])), ShapingFailure::NotJson),
    ] {
        cannot_be_shaped(&response, &failure).await;
    }
}

#[tokio::test]
async fn every_json_document_is_shaped_whatever_its_status() {
    for (content_type, status) in [
        ("application/json; charset=utf-8", 200),
        ("application/vnd.api+json", 201),
        ("application/problem+json", 404),
        ("APPLICATION/JSON", 500),
        ("", 203),
    ] {
        let mut response = json(BODY, &[("content-type", content_type)]);
        *response.status_mut() = status.try_into().unwrap();
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(response).await;
        assert_eq!(outcome.status, status);
        assert_eq!(outcome.body.unwrap(), r#"{"aB":1}"#, "{content_type}");
    }
}

#[tokio::test]
async fn other_types_pass_untouched() {
    let headers = [("content-length", "22"), ("digest", "x"), ("content-encoding", "br")];
    for content_type in ["text/html", "application/grpc", "application/grpc+json", "image/png"] {
        let headers = [&headers[..], &[("content-type", content_type)]].concat();
        let response = json(BODY, &headers);
        let expected = response.headers().clone();
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(response).await;
        assert_eq!(outcome.body.unwrap(), BODY, "{content_type}");
        for (name, value) in &expected {
            assert_eq!(outcome.headers.get(name), Some(value), "{content_type}");
        }
    }
}

#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let pieces =
        [Sent::Data("{\"a_b\":"), Sent::Data(""), Sent::Data("1,\"sec"), Sent::Data("ret\":{}}")];
    let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(frames(&pieces)).await;
    assert_eq!(outcome.body.as_deref(), Ok(r#"{"aB":1}"#));
    assert_eq!(outcome.header("content-length"), Some("8"));

    // No size is announced, so it turns out to be too large.
    let piece = Sent::Data(Box::leak(" ".repeat(400).into_boxed_str()));
    let pieces = [Sent::Data(BODY), piece.clone(), piece.clone(), piece.clone(), piece];
    let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(frames(&pieces)).await;
    assert_eq!(outcome.status, 500);
    assert_eq!(outcome.failures, [ShapingFailure::TooLarge { max_bytes: MAX_BYTES }]);
    let outcome = Origin::new(OnUnshaped::Pass, &RENAMED).answers(frames(&pieces)).await;
    assert_eq!(outcome.header("content-length"), None);
    assert_eq!(outcome.body.unwrap(), format!("{BODY}{}", " ".repeat(1600)));
}

#[tokio::test]
async fn an_error_of_the_body_stays_an_error() {
    let response = json("", &[("content-length", "22")]);
    let response = response.map(|_| Frames(vec![Ok(Sent::Data("{\"secret\":")), Err("reset")]));
    let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(response).await;
    assert_eq!(outcome.status, 200);
    assert_eq!(outcome.body, Err("\"reset\"".to_owned()), "and nothing before it");
    assert_eq!(outcome.header("content-length"), None);
}

#[tokio::test]
async fn trailers_stay_except_digests() {
    for (name, stays) in [("x-checked", true), ("repr-digest", false), ("etag", false)] {
        let pieces = [Sent::Data(BODY), Sent::Trailers(name, "sha-256=:AAAA:")];
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(frames(&pieces)).await;
        assert_eq!(outcome.body.as_deref(), Ok(r#"{"aB":1}"#));
        assert_eq!(outcome.header("content-length"), None, "or HTTP/1.1 sends no trailers");
        assert_eq!(outcome.trailers.unwrap().contains_key(name), stays);
        let pieces = [Sent::Data(""), Sent::Trailers(name, "sha-256=:AAAA:")];
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(frames(&pieces)).await;
        assert_eq!(outcome.trailers.unwrap().contains_key(name), stays, "without content, too");
    }
}

#[tokio::test]
async fn what_has_no_content_passes() {
    let origin = || Origin::new(OnUnshaped::Refuse, &BLOCKED);
    for status in [200, 204, 205, 304, 404] {
        let mut response = json("", &[]);
        *response.status_mut() = status.try_into().unwrap();
        let outcome: Outcome = origin().answers(response).await;
        assert_eq!((outcome.status.as_u16(), outcome.body.unwrap()), (status, String::new()));
        assert_eq!(outcome.failures, []);
    }
    let outcome = origin().answers(frames(&[])).await;
    assert_eq!((outcome.status, outcome.body.unwrap()), (StatusCode::OK, String::new()));
    let response = json("", &[("content-length", "22"), ("content-md5", "x")]);
    let outcome = origin().method(Method::HEAD).answers(response).await;
    assert_eq!(outcome.header("content-length"), None, "the shaped body is shorter");
    assert_eq!(outcome.header("content-md5"), None);
    // A service that leaves it to the server to cut the body.
    let outcome = origin().method(Method::HEAD).answers(json(BODY, &[])).await;
    assert_eq!(outcome.header("content-length"), Some("8"));
}

/// A body that never comes, and holds what it was given until it is dropped.
#[derive(Debug, Clone)]
struct Never {
    _held: Arc<()>,
}

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_ends_with_the_budget_of_its_route() {
    let budget = Route::new().budget(Duration::from_secs(10));
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key.metadata("blocklist", "secret")));
    let gate = gate.routes(Routes::new().get("/", budget)).build().unwrap();
    let shaping =
        ShapingLayer::builder(MAX_BYTES, OnUnshaped::Refuse).blocklist_metadata("blocklist");
    let held = Arc::new(());
    let body = Never { _held: Arc::clone(&held) };
    let service = gate.layer(shaping.build().unwrap().layer(service_fn(move |_: Request<()>| {
        let response = json("", &[]).map(|_| body.clone());
        async { Ok::<_, Infallible>(response) }
    })));
    let hung_up =
        timeout(Duration::from_secs(1), service.clone().oneshot(request(Method::GET, "/")));
    hung_up.await.unwrap_err();
    assert_eq!(Arc::strong_count(&held), 2, "the service has one, and the request none");
    let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(Arc::strong_count(&held), 1);
}
