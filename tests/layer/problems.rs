//! Problem details with instances, extension members and the problem types of the draft for limit headers.

use std::time::Duration;

use http::{Method, Request};
use serde_json::Value;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, LimitHeaders, Problem, ProblemMember, ProblemValue,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile, refusal};

use crate::support::{PROFILE, anonymous, greeting, request, send, store, text};

const QUOTAS: &[Quota] = &[
    Quota::new("minute", 2, Duration::from_secs(60)),
    Quota::new("hour", 2, Duration::from_secs(3_600)),
    Quota::new("day", 100, Duration::from_secs(86_400)),
    Quota::new("dark", 1, Duration::from_secs(60)).in_shadow(),
];

/// Returns the answer to the third request under quotas of two.
async fn third(profile: &Profile<'_>, cost: u32) -> http::Response<crate::support::Body> {
    let routes = Routes::new().otherwise(Otherwise::Need(Route::new().cost(cost)));
    let layer = ApiKeyLayer::builder(*profile, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .routes(routes)
        .build()
        .unwrap();
    let service = greeting(&layer);
    for _ in 0..2 / cost {
        assert_eq!(send(&service, request(Method::GET, "/v1/a")).await.status(), 200);
    }
    send(&service, request(Method::GET, "/v1/a")).await
}

/// The names in `violated-policies` are those of `RateLimit-Policy`; a quota in shadow violates nothing.
#[tokio::test]
async fn draft_ratelimit_headers_5_1_violated_policies_name_what_refused() {
    for (limit, cost, violated) in [
        ("minute", 1, &["minute", "hour"][..]),
        ("minute", 2, &["minute", "hour"]),
        ("only the hour", 1, &["hour"]),
    ] {
        let quotas = if limit == "minute" { QUOTAS } else { &QUOTAS[1..] };
        let profile = Profile { quotas, limit_headers: LimitHeaders::STRUCTURED, ..STANDARD };
        let response = third(&profile, cost).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let policy = response.headers()["ratelimit-policy"].to_str().unwrap().to_owned();
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        let expected = serde_json::json!({
            "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "title": "Quota Exceeded",
            "status": 429,
            "detail": "Try again later.",
            "violated-policies": violated,
        });
        assert_eq!(problem, expected);
        for name in violated {
            assert!(policy.contains(&format!("\"{name}\";q=")), "{policy}");
        }
    }
}

/// `Profile::STANDARD`, for the keys of the tests.
const STANDARD: Profile = Profile { answers: Profile::STANDARD.answers, ..PROFILE };

/// A refusal that no quota caused names none.
#[tokio::test]
async fn a_refusal_without_a_quota_names_no_policy() {
    let layer = ApiKeyLayer::builder(STANDARD, store(|key| key)).build().unwrap();
    let inner = tower::service_fn(|_: Request<()>| async {
        let denial = Denial::RateLimited { retry_after: Duration::from_secs(7) };
        Ok::<_, std::convert::Infallible>(refusal::<String>(denial))
    });
    let service = tower::Layer::layer(&layer, inner);
    let response = tower::ServiceExt::oneshot(service, request(Method::GET, "/")).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    let body = text(response).await;
    assert!(body.contains("#quota-exceeded") && !body.contains("violated-policies"), "{body}");
}

/// The instance is the path as the client sent it, and never names another host.
#[tokio::test]
async fn rfc9457_3_1_5_an_instance_is_a_uri_reference() {
    for (instance, path, expected) in [
        ("{path}", "/v1/a", Some("/v1/a")),
        ("{path}", "/v1/a?key=secret", Some("/v1/a")),
        ("{path}", "/v1/caf%C3%A9", Some("/v1/caf%C3%A9")),
        ("{path}", "//evil.example/v1", None),
        ("{path}", "/a\"},{\"b", Some("/a%22%7D,%7B%22b")),
        ("https://api.example.com{path}#here", "/v1", Some("https://api.example.com/v1#here")),
        ("https://example.com/status", "/v1", Some("https://example.com/status")),
        ("{request_id|urn:none}", "/v1", Some("urn:none")),
    ] {
        let problem = Problem::new("about:blank", "Unauthorized", "").instance(instance);
        let row = Answer::of_code(401, ErrorBody::Problem(problem)).challenge(Challenge::Bare);
        let profile = Profile { answers: Answers::all(row), ..PROFILE };
        let Ok(layer) = ApiKeyLayer::builder(profile, MemoryStore::new()).build() else {
            assert!(instance.contains("request_id"), "the profile has no ids of requests");
            continue;
        };
        let response = send(&greeting(&layer), anonymous(Method::GET, path)).await;
        let body: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(body.get("instance").and_then(Value::as_str), expected, "{instance} {path}");
        assert_eq!(body.get("detail"), None);
    }
}

/// A part of a path would name something else.
#[tokio::test]
async fn an_instance_is_left_out_if_the_path_is_too_long() {
    let problem = Problem::new("about:blank", "Unauthorized", "").instance("{path}");
    let row = Answer::of_code(401, ErrorBody::Problem(problem)).challenge(Challenge::Bare);
    let profile = Profile { answers: Answers::all(row), ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap();
    for (tail, expected) in [
        ("a".repeat(511), true),
        ("a".repeat(512), false),
        ("%26".repeat(171), false),
        ("&".repeat(60_000), false),
    ] {
        let path = format!("/{tail}");
        let response = send(&greeting(&layer), anonymous(Method::GET, &path)).await;
        let body: Value = serde_json::from_str(&text(response).await).unwrap();
        let instance = body.get("instance").and_then(Value::as_str);
        assert_eq!(instance, expected.then_some(&*path));
    }
}

#[test]
fn problems_that_break_the_rfc_are_refused() {
    const KIND: Problem = Problem::new("about:blank", "No", "");
    const fn json(name: &'static str, json: &'static str) -> ProblemMember<'static> {
        ProblemMember { name, value: ProblemValue::Json(json) }
    }
    const TWICE: &[ProblemMember] = &[json("a", "1"), json("a", "2")];
    const STATUS: &[ProblemMember] = &[json("status", "1")];
    const NAMELESS: &[ProblemMember] = &[json("", "1")];
    const BARE: &[ProblemMember] = &[json("code", "no")];
    const MORE: &[ProblemMember] = &[json("code", "1}, {")];
    const NUMBERED: &[ProblemMember] = &[json("code", "{\"{#status}\": 1}")];
    const GOOD: &[ProblemMember] = &[
        json("code", " [1, {\"a\": null}] "),
        json("retry", "{\"after\": \"{#retry_after}\"}"),
        ProblemMember::VIOLATED_POLICIES,
        ProblemMember { name: "needed", value: ProblemValue::Text("{needed_scopes}") },
    ];
    const WRONG: &[ProblemMember] =
        &[ProblemMember { name: "needed", value: ProblemValue::Text("{nothing}") }];
    for (problem, words) in [
        (KIND, &[][..]),
        (Problem::new("/problems/quota", "No", "detail"), &[]),
        (KIND.members(GOOD), &[]),
        (Problem::new("", "No", ""), &["type", "URI"]),
        (Problem::new("out of credit", "No", ""), &["type", "URI", "out of credit"]),
        (Problem::new("{path}", "No", ""), &["type", "URI"]),
        (KIND.instance("a b"), &["instance", "a b"]),
        (KIND.instance("https://example.com{path}"), &[]),
        (KIND.instance("{path|/}?{status}"), &[]),
        (KIND.instance("/{path}"), &["instance", "another host"]),
        (KIND.instance("//example.com"), &["instance", "another host"]),
        (KIND.instance("{path"), &["{path"]),
        (KIND.instance("{nothing}"), &["nothing"]),
        (KIND.members(TWICE), &["member", "`a`", "twice"]),
        (KIND.members(STATUS), &["member", "`status`", "RFC 9457"]),
        (KIND.members(NAMELESS), &["member", "name"]),
        (KIND.members(BARE), &["`code`", "JSON"]),
        (KIND.members(MORE), &["`code`", "JSON"]),
        (KIND.members(NUMBERED), &["`{#status}`", "`{status}`", "a name is a string"]),
        (KIND.members(WRONG), &["nothing"]),
    ] {
        let row = Answer::of_code(403, ErrorBody::Problem(problem)).retry_after(1);
        let answers = Answers { scope_missing: row, ..PROFILE.answers };
        let profile = Profile { answers, ..PROFILE };
        let built = ApiKeyLayer::builder(profile, MemoryStore::new()).build();
        let complaint = built.err().map(|error| error.to_string());
        assert_eq!(complaint.is_none(), words.is_empty(), "{problem:?} {complaint:?}");
        for word in words.iter().chain(complaint.as_ref().map(|_| &"scope_missing")) {
            let complaint = complaint.as_deref().unwrap();
            assert!(complaint.contains(word), "`{complaint}` says nothing of `{word}`");
        }
    }
}
