//! Facts of a request in its answer, of requests whose bytes are an attacker's. RFC 9112 §11.1 warns of lines that a
//! client makes a server write.

use http::StatusCode;
use tower_api_key::profile::{Answer as Row, Answers, Challenge, ErrorBody, RequestIdHeader};
use tower_api_key::{ApiKeyLayer, Profile};

use super::gates::gate;
use super::server::Server;
use super::wire::{Client, request};
use crate::support::{KEY, PROFILE};

const MISSING: Row = Row::new(
    StatusCode::UNAUTHORIZED,
    ErrorBody::Json { shape: r#"{"asked":"{method} {path}","id":"{request_id}"}"#, values: &[] },
)
.challenge(Challenge::Bare)
.headers(&[("Link", "<{path}>; rel=\"self\""), ("X-Asked", "{method}")]);

fn reflecting() -> ApiKeyLayer {
    let profile = Profile {
        request_id: Some(RequestIdHeader::new("X-Request-Id")),
        answers: Answers { credentials_missing: MISSING, ..PROFILE.answers },
        ..PROFILE
    };
    gate(profile, KEY, |key| key).build().unwrap()
}

/// §11.1: what the request line has ends neither a line nor a string of the answer.
#[tokio::test]
async fn rfc9112_11_1_a_request_line_writes_no_line_of_the_answer() {
    let server = Server::start(&reflecting()).await;
    for (line, asked) in [
        ("GET /users?key=canary#x HTTP/1.1", "GET /users"),
        ("GET /a%0d%0aSet-Cookie:%20a=b HTTP/1.1", "GET /a%0d%0aSet-Cookie:%20a=b"),
        ("GET /\"},{\"role\":\"admin HTTP/1.1", "GET /%22%7D,%7B%22role%22:%22admin"),
        ("GET /%3Cscript%3E HTTP/1.1", "GET /%3Cscript%3E"),
        ("GET /'&|~^`[] HTTP/1.1", "GET /%27%26%7C~%5E%60%5B%5D"),
        ("G!#$%&'*+.^_`|~T / HTTP/1.1", "G!%23$%%26%27*+.%5E_%60%7C~T /"),
        ("OPTIONS * HTTP/1.1", "OPTIONS *"),
        ("GET http://other.example/x HTTP/1.1", "GET /x"),
    ] {
        let answer = request(&server, line, "X-Request-Id: of-the-client").await;
        if answer.status() == 400 && answer.body.is_empty() {
            continue; // hyper reads no such line
        }
        assert_eq!(answer.status(), 401, "{line}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["asked"], asked, "{line}");
        let (method, path) = asked.split_once(' ').unwrap();
        // A header may be a list, whose elements end at a comma.
        let link = format!("<{}>; rel=\"self\"", path.replace(',', "%2C"));
        assert_eq!(answer.lines("link"), [&*link], "{line}");
        assert_eq!(answer.lines("x-asked"), [method], "{line}");
        assert!(answer.lines("set-cookie").is_empty());
        let ids = answer.lines("x-request-id");
        assert_eq!(ids, [body["id"].as_str().unwrap()]);
        assert_eq!(ids[0].len(), 32, "not the client's");
        assert!(!answer.body.contains("canary"));
    }
    assert_eq!(server.reached(), 0);
}

/// Each request of a connection has an id of its own.
#[tokio::test]
async fn every_request_of_a_connection_has_its_own_id() {
    let server = Server::start(&reflecting()).await;
    let mut client = Client::connect(&server).await;
    let mut ids = Vec::new();
    for index in 0..6 {
        let line = format!("Authorization: Bearer {KEY}\r\n");
        let own = if index % 2 == 0 { &*line } else { "" };
        client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{own}\r\n")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), if index % 2 == 0 { 200 } else { 401 });
        ids.push(answer.field("x-request-id").unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}
