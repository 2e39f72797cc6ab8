//! Mailgun: a bare word for every key that does not serve, JSON for the rest, and 420 for a used-up quota.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::door::{Known, answer, open, refuses, request, without_store};
use crate::support::send;

const KEY: &str = "0123456789abcdef0123456789abcdef-01234567-89abcdef";
const READ: &str = "GET /v4/domains";
const SEND: &str = "POST /v3/mail.example.com/messages";
const JSON: &str = "content-type: application/json";
const TEXT: &str = "content-type: text/plain; charset=utf-8";
const CHALLENGE: &str = r#"www-authenticate: Basic realm="MG API""#;
const UNUSED: [&str; 3] =
    ["x-ratelimit-limit: 300", "x-ratelimit-remaining: 300", "x-ratelimit-reset: 1800000060"];

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

const fn known(scopes: &'static [&'static str]) -> Known<'static> {
    Known { scopes, ..Known::new(KEY) }
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("mailgun", &[known(&["admin"])]);
    let revoked = open("mailgun", &[Known { revoked: true, ..known(&["admin"]) }]);
    let good = basic("api", KEY);
    let unlisted = basic("api", "f123456789abcdef0123456789abcdef-01234567-89abcdef");
    let older = basic("api", "key-0123456789abcdef0123456789abcdef");
    let (short, other) = (basic("api", "short"), basic("admin", KEY));
    for (door, headers) in [
        (&door, &[][..]),
        (&door, &[("authorization", &*unlisted)]),
        (&door, &[("authorization", &*older)]),
        (&door, &[("authorization", &*short)]),
        (&door, &[("authorization", &*other)]),
        (&door, &[("authorization", "Bearer token")]),
        (&revoked, &[("authorization", &*good)]),
    ] {
        refuses(door, request(READ, headers), 401, &[TEXT, CHALLENGE], "Forbidden").await;
    }
}

#[tokio::test]
async fn all_else_is_json() {
    let key = basic("api", KEY);
    let headers = &[("authorization", &*key)][..];
    let analyst = open("mailgun", &[known(&["analyst"])]);
    let role = r#"{"message":"This key may not use this endpoint"}"#;
    refuses(&analyst, request(SEND, headers), 403, &[&UNUSED[..], &[JSON]].concat(), role).await;
    assert_eq!(
        answer(&analyst, request(READ, headers)).await,
        "200\nx-ratelimit-limit: 300\nx-ratelimit-remaining: 299\nx-ratelimit-reset: 1800000060\n\nhello acme"
    );
    let down = without_store("mailgun");
    let wait = r#"{"message":"Try again later"}"#;
    refuses(&down, request(READ, headers), 503, &[JSON, "retry-after: 5"], wait).await;

    let tight = open("mailgun", &[Known { quota: Some(("requests", 1)), ..known(&["admin"]) }]);
    assert_eq!(send(&tight, request(READ, headers)).await.status(), 200);
    let limited = r#"{"message":"Too many requests: 1 in 60 seconds are allowed"}"#;
    let spent = [
        JSON,
        "retry-after: 60",
        "x-ratelimit-limit: 1",
        "x-ratelimit-remaining: 0",
        "x-ratelimit-reset: 1800000060",
    ];
    refuses(&tight, request(READ, headers), 429, &spent, limited).await;
}

/// The recipients of a day. A day ends at midnight, UTC, and the limit headers do not speak of it.
#[tokio::test]
async fn a_used_up_quota_is_420() {
    let key = basic("api", KEY);
    let headers = &[("authorization", &*key)][..];
    let door = open("mailgun", &[known(&["sending"])]);
    for _ in 0..100 {
        assert_eq!(send(&door, request(SEND, headers)).await.status(), 200);
    }
    let lines = [
        JSON,
        "retry-after: 57600",
        "x-ratelimit-limit: 300",
        "x-ratelimit-remaining: 200",
        "x-ratelimit-reset: 1800000060",
    ];
    let body = r#"{"message":"Domain is not allowed to send: the limit of 100 recipients is reset in 57600 seconds"}"#;
    refuses(&door, request(SEND, headers), 420, &lines, body).await;
}
