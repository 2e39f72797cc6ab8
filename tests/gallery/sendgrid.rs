//! SendGrid: a list of errors without codes, three causes of 401, 406, and no limit headers on one path.

use super::door::{Known, answer, open, refuses, request, without_store};
use crate::support::send;

const KEY: &str = "SG.0123456789abcdefghijkl.0123456789abcdefghijklmnopqrstuvwxyzABCDEF-";
const OTHER: &str = "SG.0123456789abcdefghijkl.1123456789abcdefghijklmnopqrstuvwxyzABCDEF-";
const READ: &str = "GET /v3/templates";
const SEND: &str = "POST /v3/mail/send";
const JSON: &str = "content-type: application/json";
const BARE: &str = r#"www-authenticate: Bearer realm="SendGrid""#;
const INVALID: &str = r#"www-authenticate: Bearer realm="SendGrid", error="invalid_token""#;
const NOT_A_KEY: &str =
    r#"{"errors":[{"field":null,"message":"Permission denied, wrong credentials"}]}"#;
const NO_GRANT: &str = r#"{"errors":[{"field":null,"message":"The provided authorization grant is invalid, expired, or revoked"}]}"#;

const fn known(scopes: &'static [&'static str]) -> Known<'static> {
    Known { scopes, ..Known::new(KEY) }
}

fn with(key: &str) -> Vec<(&'static str, String)> {
    vec![("accept", "application/json".to_owned()), ("authorization", format!("Bearer {key}"))]
}

fn asked(line: &str, headers: &[(&'static str, String)]) -> http::Request<()> {
    let headers: Vec<(&'static str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    request(line, &headers)
}

#[tokio::test]
async fn three_causes_of_401_have_texts_of_their_own() {
    let door = open("sendgrid", &[known(&["mail.send"])]);
    let revoked = open("sendgrid", &[Known { revoked: true, ..known(&["mail.send"]) }]);
    for (door, headers, challenge, body) in [
        (&door, with(OTHER), INVALID, NO_GRANT),
        (&revoked, with(KEY), INVALID, NO_GRANT),
        (&door, with("SENDGRID_API_KEY"), BARE, NOT_A_KEY),
        (&door, with("0123456789abcdefghijkl"), BARE, NOT_A_KEY),
        (&door, Vec::new(), BARE, NOT_A_KEY),
    ] {
        refuses(door, asked(READ, &headers), 401, &[JSON, challenge], body).await;
    }
    for _ in 0..100 {
        assert_eq!(answer(&door, asked(SEND, &with(KEY))).await, "200\n\nhello acme");
    }
    let credits = r#"{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}"#;
    refuses(&door, asked(SEND, &with(KEY)), 401, &[JSON, BARE], credits).await;
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let door = open("sendgrid", &[known(&["templates.read"])]);
    // With all fields and without limit headers, on mail/send only.
    let forbidden = r#"{"errors":[{"message":"Access forbidden","field":null,"help":null}]}"#;
    refuses(&door, asked(SEND, &with(KEY)), 403, &[JSON], forbidden).await;
    let limits =
        ["x-ratelimit-limit: 600", "x-ratelimit-remaining: 600", "x-ratelimit-reset: 1800000060"];
    let without = [("authorization", format!("Bearer {KEY}"))];
    let accept = r#"{"errors":[{"field":null,"message":"The header accept is missing"}]}"#;
    refuses(&door, asked(READ, &without), 406, &[&limits[..], &[JSON]].concat(), accept).await;
    let unknown = r#"{"errors":[{"field":null,"message":"Not found"}]}"#;
    let nowhere = asked("GET /v3/nothing", &with(KEY));
    refuses(&door, nowhere, 404, &[&limits[..], &[JSON]].concat(), unknown).await;
    let down = without_store("sendgrid");
    let body = r#"{"errors":[{"field":null,"message":"The service is unavailable"}]}"#;
    refuses(&down, asked(READ, &with(KEY)), 503, &[JSON], body).await;
}

/// No `Retry-After`, which SendGrid does not document.
#[tokio::test]
async fn a_limit_is_told_in_unix_time() {
    let key = Known { quota: Some(("requests", 1)), ..known(&["templates.read"]) };
    let door = open("sendgrid", &[key]);
    assert_eq!(send(&door, asked(READ, &with(KEY))).await.status(), 200);
    let lines =
        [JSON, "x-ratelimit-limit: 1", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1800000060"];
    let body = r#"{"errors":[{"field":null,"message":"Too many requests"}]}"#;
    refuses(&door, asked(READ, &with(KEY)), 429, &lines, body).await;
}
