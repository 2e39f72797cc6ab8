//! RFC 9457: problem details, for a vendor whose answers are such.

use http::StatusCode;
use serde_json::Value;
use tower_api_key::profile::{Answer as Row, Answers, Challenge, ErrorBody, Problem};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use super::gates::gate;
use super::server::Server;
use super::wire::{Answer, request};
use crate::support::{KEY, PROFILE};

const fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Row<'static> {
    Row::new(status, ErrorBody::Problem(Problem::new("about:blank", title, detail)))
}

const OWN: Row = Row::new(
    StatusCode::FORBIDDEN,
    ErrorBody::Problem(Problem::new(
        "https://example.com/problems/scope",
        "The key lacks a \"scope\"",
        "Ask for one at C:\\keys\n– or do not.",
    )),
);

const PROBLEMS: Profile = Profile {
    answers: Answers {
        credentials_missing: problem(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "A key is required.",
        )
        .challenge(Challenge::Bare),
        key_unknown: problem(StatusCode::UNAUTHORIZED, "Unauthorized", "The key is invalid.")
            .challenge(Challenge::InvalidToken),
        scope_missing: OWN.challenge(Challenge::InsufficientScope),
        ..PROFILE.answers
    },
    ..PROFILE
};

fn layer() -> ApiKeyLayer {
    let routes = Routes::new().on(&[], "/", Route::new().all_of(&["users.read"]));
    gate(PROBLEMS, KEY, |key| key).routes(routes).build().unwrap()
}

/// §3: members have the types that they must have, `status` repeats the status of the answer
/// (§3.1.2), and the media type is the registered one (§6.1).
#[tokio::test]
async fn rfc9457_3_problem_details_are_written_as_defined() {
    let server = Server::start(&layer()).await;
    let known = format!("Authorization: Bearer {KEY}");
    for (lines, kind, title, detail) in [
        ("", "about:blank", "Unauthorized", "A key is required."),
        (
            "Authorization: Bearer unknown_0123456789abcdef",
            "about:blank",
            "Unauthorized",
            "The key is invalid.",
        ),
        (
            &known,
            "https://example.com/problems/scope",
            "The key lacks a \"scope\"",
            "Ask for one at C:\\keys\n– or do not.",
        ),
    ] {
        let answer = request(&server, "GET / HTTP/1.1", lines).await;
        assert_eq!(answer.field("content-type"), Some("application/problem+json"));
        let members: Value = serde_json::from_str(&answer.body).unwrap();
        let expected = serde_json::json!({
            "type": kind, "title": title, "status": answer.status(), "detail": detail,
        });
        assert_eq!(members, expected);
    }
    assert_eq!(server.reached(), 0);
}

/// §4.2.1: with `about:blank`, the title is the status text.
#[tokio::test]
async fn rfc9457_4_2_1_a_problem_to_the_byte() {
    const EXPECTED: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 88
content-type: application/problem+json
www-authenticate: ApiKey realm=\"test\", header=\"x-api-key\"
www-authenticate: Bearer realm=\"test\"

{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,\"detail\":\"A key is required.\"}";
    let server = Server::start(&layer()).await;
    let expected = Answer::of(EXPECTED);
    assert_eq!(request(&server, "GET / HTTP/1.1", "").await, expected);
    let head = request(&server, "HEAD / HTTP/1.1", "").await;
    assert_eq!(head, Answer { body: String::new(), ..expected });
}
