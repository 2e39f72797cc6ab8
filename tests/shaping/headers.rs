//! What the headers of a shaped response say.

use http::{Method, Response, StatusCode};
use tower_api_key::shaping::{OnUnshaped, Shape, ShapingLayer};

use super::origin::{MAX_BYTES, Origin, json};

const SHAPED: [(&str, &str); 2] = [("blocklist", "secret"), ("inflection", "camel")];
const BODY: &str = r#"{"a_b":1,"secret":"S"}"#;

fn shaped() -> Origin {
    Origin::new(OnUnshaped::Refuse, &SHAPED)
}

fn not_modified(tag: &'static str) -> Response<http_body_util::Full<bytes::Bytes>> {
    let mut response = json("", &[("content-type", ""), ("etag", tag), ("content-length", "22")]);
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

#[tokio::test]
async fn nothing_speaks_of_the_services_bytes() {
    let headers = [
        ("content-length", "22"),
        ("content-md5", "x"),
        ("digest", "sha-256=x"),
        ("content-digest", "sha-256=:AAAA:"),
        ("repr-digest", "sha-256=:AAAA:"),
        ("accept-ranges", "bytes"),
        ("transfer-encoding", "chunked"),
        ("content-encoding", "identity"),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-own", "stays"),
    ];
    let outcome = shaped().answers(json(BODY, &headers)).await;
    assert_eq!(outcome.header("content-length"), Some("8"));
    for (name, _) in &headers[1..7] {
        assert_eq!(outcome.header(name), None, "{name}");
    }
    for (name, value) in &headers[7..] {
        assert_eq!(outcome.header(name), Some(*value));
    }
    assert_eq!(outcome.body.unwrap(), r#"{"aB":1}"#);
}

#[tokio::test]
async fn only_a_request_with_a_shape_gives_up_codings() {
    for (metadata, seen) in [(&SHAPED[..], "identity"), (&[], "gzip, br")] {
        let origin =
            Origin::new(OnUnshaped::Refuse, metadata).header("accept-encoding", "gzip, br");
        let outcome = origin.answers(json(BODY, &[])).await;
        let lines: Vec<_> =
            outcome.seen.as_ref().unwrap().get_all("accept-encoding").iter().collect();
        assert_eq!(lines, [seen]);
    }
    let outcome = shaped().answers(json(BODY, &[])).await;
    assert_eq!(outcome.seen.unwrap()["accept-encoding"], "identity", "or any would be acceptable");
}

#[tokio::test]
async fn caches_learn_what_the_response_depends_on() {
    for (before, after) in [
        ("", Some("private")),
        ("public, max-age=60", Some("private")),
        ("s-maxage=60", Some("private")),
        ("private, max-age=60", Some("private, max-age=60")),
        ("no-store", Some("no-store")),
    ] {
        for metadata in [&SHAPED[..], &[]] {
            let origin = Origin::new(OnUnshaped::Refuse, metadata);
            let outcome = origin.answers(json(BODY, &[("cache-control", before)])).await;
            assert_eq!(outcome.header("cache-control"), after, "another key's may differ");
            assert_eq!(outcome.header("vary"), Some("key-inflection"));
        }
    }
    // Where all keys get the same, caches may keep it.
    let mut origin = shaped();
    origin.shaping = ShapingLayer::builder(MAX_BYTES, OnUnshaped::Refuse).blocklist(["secret"]);
    let outcome = origin.answers(json(BODY, &[("cache-control", "public")])).await;
    assert_eq!(outcome.header("cache-control"), Some("public"));
    assert_eq!(outcome.header("vary"), None);
    // A service that has said so itself is not repeated.
    let outcome = shaped().answers(json(BODY, &[("vary", "Origin, Key-Inflection")])).await;
    assert_eq!(outcome.headers.get_all("vary").iter().count(), 1);
}

#[tokio::test]
async fn an_entity_tag_names_one_shape() {
    let mut tags = Vec::new();
    for metadata in [
        &[][..],
        &[("inflection", "camel")],
        &[("inflection", "kebab")],
        &[("inflection", "snake")],
    ] {
        let origin = || Origin::new(OnUnshaped::Refuse, metadata);
        let outcome = origin().answers(json(BODY, &[("etag", "\"v1\"")])).await;
        let tag = outcome.header("etag").unwrap().to_owned();
        let head = origin().method(Method::HEAD).answers(json("", &[("etag", "\"v1\"")])).await;
        assert_eq!(head.header("etag"), Some(&*tag), "HEAD says what GET says");
        assert!(tag.starts_with("\"v1-shape-") && !tags.contains(&tag), "{tag}");
        tags.push(tag.clone());

        // The service gets its own tag back.
        let conditions = origin().header("if-none-match", &format!("\"v0\", W/{tag}"));
        let conditions = conditions.header("if-match", &tag).header("if-range", &tag);
        let outcome = conditions.answers(not_modified("\"v1\"")).await;
        let seen = outcome.seen.as_ref().unwrap();
        assert_eq!(seen["if-none-match"], "\"v0\", W/\"v1\"");
        assert_eq!(seen["if-match"], "\"v1\"");
        assert_eq!(seen.contains_key("if-range"), metadata.is_empty());
        assert_eq!(
            (outcome.status, outcome.header("etag")),
            (StatusCode::NOT_MODIFIED, Some(&*tag))
        );
        assert_eq!(outcome.header("content-length").is_none(), !metadata.is_empty());
    }
    // Another shape's tag is none of the service's, and neither is its answer.
    let camel = || Origin::new(OnUnshaped::Refuse, &SHAPED[1..]);
    let outcome = camel().header("if-none-match", &tags[2]).header("if-match", &tags[2]);
    let outcome = outcome.answers(not_modified("\"v1\"")).await;
    assert_eq!(outcome.seen.as_ref().unwrap()["if-match"], "\"v1\"", "its state is the same");
    assert_eq!(outcome.seen.as_ref().unwrap()["if-none-match"], *tags[2]);
    assert_eq!(outcome.header("etag"), Some("\"v1\""));
    let weak = camel().answers(json(BODY, &[("etag", "W/\"v1\"")])).await;
    assert!(weak.header("etag").unwrap().starts_with("W/\"v1-shape-"));
    let malformed = camel().answers(json(BODY, &[("etag", "v1")])).await;
    assert_eq!(malformed.header("etag"), None);
}

#[tokio::test]
async fn no_tag_and_no_digest_tells_of_a_blocked_attribute() {
    let digests = ["content-md5", "digest", "content-digest", "repr-digest"];
    let fields = [&["etag"][..], &digests].concat();
    for (status, content_type, method) in [
        (200, "application/json", Method::GET),
        (200, "", Method::PUT),
        (200, "application/json", Method::HEAD),
        (201, "application/problem+json", Method::POST),
        (204, "", Method::PUT),
        (304, "", Method::GET),
        (412, "application/json", Method::PUT),
    ] {
        let has_content = method != Method::HEAD && !content_type.is_empty();
        let mut response =
            json(if has_content { BODY } else { "" }, &[("content-type", content_type)]);
        *response.status_mut() = status.try_into().unwrap();
        for name in &fields {
            response.headers_mut().insert(*name, "\"abc\"".parse().unwrap());
        }
        let outcome = shaped().method(method.clone()).answers(response.clone()).await;
        assert_eq!(outcome.status, status);
        for name in &fields {
            assert_eq!(outcome.header(name), None, "{name}: {status} {method}");
        }
        // A service's body that is not shaped has them all.
        let outcome = Origin::new(OnUnshaped::Refuse, &[]).method(method).answers(response).await;
        assert!(fields.iter().all(|name| outcome.headers.contains_key(*name)), "{status}");
    }
    let picture = json("", &[("content-type", "image/png"), ("etag", "\"abc\""), ("digest", "x")]);
    let outcome = shaped().answers(picture).await;
    assert_eq!((outcome.header("etag"), outcome.header("digest")), (None, Some("x")));
    let text =
        json("text", &[("content-type", "text/plain"), ("etag", "\"abc\""), ("digest", "x")]);
    let outcome = shaped().answers(text).await;
    assert_eq!((outcome.header("etag"), outcome.header("digest")), (None, Some("x")));
}

#[tokio::test]
async fn with_a_blocklist_a_guess_of_a_tag_does_not_reach_the_service() {
    for (value, none_match, matches) in
        [("\"guess\"", None, Some("\"-shape-none\"")), ("*", Some("*"), Some("*"))]
    {
        let origin = shaped().header("if-none-match", value).header("if-match", value);
        let seen = origin.answers(json(BODY, &[("etag", "\"guess\"")])).await.seen.unwrap();
        let text = |name| seen.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((text("if-none-match"), text("if-match")), (none_match, matches));
    }
}

#[tokio::test]
async fn only_a_request_without_a_shape_asks_for_a_part() {
    for (metadata, passes) in [(&SHAPED[..1], false), (&SHAPED[1..], false), (&[], true)] {
        let origin = Origin::new(OnUnshaped::Refuse, metadata);
        let origin = origin.header("range", "bytes=0-1").header("if-range", "\"v1\"");
        let outcome = origin.answers(json(BODY, &[])).await;
        let seen = outcome.seen.unwrap();
        for name in ["range", "if-range"] {
            assert_eq!(seen.contains_key(name), passes, "{name}");
        }
        assert_eq!(outcome.status, 200, "RFC 9110 section 14.2: a server may ignore the field");
    }
}

#[tokio::test]
async fn a_refusal_keeps_nothing_of_the_response() {
    let headers = [("etag", "\"v1\""), ("x-own", "S"), ("content-encoding", "gzip")];
    let outcome = shaped().answers(json(BODY, &headers)).await;
    assert_eq!(outcome.status, StatusCode::INTERNAL_SERVER_ERROR);
    for (name, _) in headers {
        assert_eq!(outcome.header(name), None, "{name}");
    }
    assert_eq!(outcome.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn without_a_gate_a_refusal_is_empty() {
    let shape = Shape::new();
    let layer = ShapingLayer::builder(1, OnUnshaped::Refuse).shape_by(move |_| Ok(shape.clone()));
    let service = tower::Layer::layer(
        &layer.build().unwrap(),
        tower::service_fn(|_: http::Request<()>| async { Ok::<_, ()>(json(BODY, &[])) }),
    );
    let refused = tower::ServiceExt::oneshot(service, http::Request::new(())).await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(crate::support::text(refused).await, "");
}
