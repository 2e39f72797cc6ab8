//! Answers of a vendor's own on the wire: statuses that are not registered, no content, and several challenges.

use tower_api_key::Profile;
use tower_api_key::profile::{
    Answer as Row, Answers, Challenge, ErrorBody, PathAnswers, SchemeChallenge,
};

use super::challenge::{challenge, parameter};
use super::gates::gate;
use super::server::Server;
use super::wire::{Answer, Client};
use crate::support::{KEY, PROFILE};

const CHALLENGES: &[SchemeChallenge] = &[
    SchemeChallenge::new("Basic").parameters(&[("charset", "UTF-8")]),
    SchemeChallenge::new("Bearer").parameters(&[
        ("error_description", "No such key, or: none"),
        ("resource_metadata", "https://example.com/.well-known/oauth-protected-resource"),
    ]),
    SchemeChallenge::new("ApiKey").without_realm(),
];
const MISSING: Row = Row::of_code(401, ErrorBody::Empty).challenge(Challenge::InvalidToken);
const OWN: Profile = Profile {
    challenges: CHALLENGES,
    answers: Answers::all(MISSING),
    answers_by_path: &[
        PathAnswers { prefix: "/used", answers: Answers::all(Row::of_code(456, ErrorBody::Empty)) },
        PathAnswers {
            prefix: "/denied",
            answers: Answers::all(Row::insecure_success(ErrorBody::Error("DENIED"))),
        },
    ],
    ..PROFILE
};

/// What the service behind the gate answers.
const SERVED: &str = "acme GET /denied 0";

/// RFC 9110 §15: a client knows the class of a status that it does not know. RFC 9112 §6.3: an answer without content
/// ends where it says, so that the next one is read right.
#[tokio::test]
async fn rfc9112_6_3_answers_follow_each_other_on_one_connection() {
    let server = Server::start(&gate(OWN, KEY, |key| key).build().unwrap()).await;
    let mut client = Client::connect(&server).await;
    let good = format!("Authorization: Bearer {KEY}\r\n");
    for (method, path, field, status, length, body) in [
        ("GET", "/used", "", 456, "0", ""),
        ("GET", "/denied", "", 200, "18", r#"{"error":"DENIED"}"#),
        ("HEAD", "/denied", "", 200, "18", ""),
        ("HEAD", "/used/x", "", 456, "0", ""),
        ("POST", "/", "Content-Length: 0\r\n", 401, "0", ""),
        ("GET", "/denied", &good, 200, "18", SERVED),
    ] {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: example.com\r\n{field}\r\n");
        client.send(head).await;
        let answer =
            if method == "HEAD" { client.answer_to_head().await } else { client.answer().await };
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.body, body, "{method} {path}");
        if body != SERVED {
            assert_eq!(answer.field("content-length"), Some(length), "{method} {path}");
            assert_eq!(answer.field("cache-control"), Some("no-store"));
            assert_eq!(answer.field("content-type").is_some(), length != "0");
        }
    }
    assert_eq!(server.reached(), 1);
}

/// RFC 9110 §11.6.1: several challenges, each in a field line of its own, and each to be read by its grammar.
#[tokio::test]
async fn rfc9110_11_6_1_each_challenge_has_a_line() {
    let server = Server::start(&gate(OWN, KEY, |key| key).build().unwrap()).await;
    let answer: Answer = super::wire::get(&server, "").await;
    let lines = answer.lines("www-authenticate");
    let (bare, others): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| **line == "ApiKey");
    assert_eq!((bare.len(), others.len()), (1, 2));
    let read: Vec<_> = others.into_iter().map(challenge).collect();
    let [basic, bearer] = &read[..] else { panic!("{read:?}") };
    assert_eq!((basic.0.as_str(), bearer.0.as_str()), ("Basic", "Bearer"));
    assert_eq!(parameter(basic, "realm"), Some("test"));
    assert_eq!(parameter(basic, "charset"), Some("UTF-8"));
    assert_eq!(parameter(basic, "error"), None);
    assert_eq!(parameter(bearer, "error"), Some("invalid_token"));
    assert_eq!(parameter(bearer, "error_description"), Some("No such key, or: none"));
    let metadata = "https://example.com/.well-known/oauth-protected-resource";
    assert_eq!(parameter(bearer, "resource_metadata"), Some(metadata));
}
