//! Datadog: two keys in two headers or a token, 403 for a bad key, and limits without `Retry-After`.

use super::door::{Known, answer, open, refuses, request, without_store};
use crate::support::send;

const API: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "ddpat_0123456789abcdefghijkl_0123456789abcdefghijklmnopqrstuvwxyz";
const READ: &str = "GET /api/v1/monitor";
const WRITE: &str = "POST /api/v1/monitor";
const JSON: &str = "content-type: application/json";
const PAIR: [(&str, &str); 2] = [("dd-api-key", API), ("dd-application-key", APPLICATION)];
const FORBIDDEN: &str = r#"{"errors":["Forbidden"]}"#;

const KEY: Known<'_> = Known {
    id: API,
    kind: Some("application"),
    scopes: &["monitors_read"],
    ..Known::new(APPLICATION)
};

fn limits(limit: u32, left: u32, reset: u32) -> Vec<String> {
    vec![
        format!("x-ratelimit-limit: {limit}"),
        "x-ratelimit-name: monitors_api".to_owned(),
        "x-ratelimit-period: 60".to_owned(),
        format!("x-ratelimit-remaining: {left}"),
        format!("x-ratelimit-reset: {reset}"),
    ]
}

fn and<'a>(lines: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    lines.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("datadog", &[KEY]);
    let revoked = open("datadog", &[Known { revoked: true, ..KEY }]);
    let other = "1123456789abcdef0123456789abcdef";
    let unknown = "1123456789abcdef0123456789abcdef01234567";
    for (door, headers) in [
        (&door, [("dd-api-key", other), ("dd-application-key", APPLICATION)]),
        (&door, [("dd-api-key", API), ("dd-application-key", unknown)]),
        (&door, [("dd-api-key", API), ("dd-application-key", "short")]),
        (&revoked, PAIR),
    ] {
        refuses(door, request(READ, &headers), 403, &[JSON], FORBIDDEN).await;
    }
    let required = r#"{"errors":["API key required"]}"#;
    refuses(&door, request(READ, &[]), 403, &[JSON], required).await;
    let lines = [
        JSON,
        r#"www-authenticate: ApiKey realm="Datadog", id-header="dd-api-key", header="dd-application-key""#,
        r#"www-authenticate: Bearer realm="Datadog""#,
    ];
    let unauthorized = r#"{"errors":["Unauthorized"]}"#;
    refuses(&door, request(READ, &PAIR[..1]), 401, &lines, unauthorized).await;
    let all = [PAIR[0], PAIR[1], ("authorization", "Bearer token")];
    let either = r#"{"errors":["Send either two keys or a token"]}"#;
    refuses(&door, request(READ, &all), 400, &[JSON], either).await;
    let down = r#"{"errors":["Service unavailable"]}"#;
    refuses(&without_store("datadog"), request(READ, &PAIR), 503, &[JSON], down).await;
}

/// A token needs no API key, and an application key is no token.
#[tokio::test]
async fn each_kind_of_key_has_its_own_place() {
    let token = Known { kind: Some("token"), scopes: &["monitors_read"], ..Known::new(TOKEN) };
    let door = open("datadog", &[token, KEY]);
    let used = format!("200\n{}\n\nhello acme", limits(600, 599, 60).join("\n"));
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(answer(&door, request(READ, &[("authorization", &bearer)])).await, used);
    let bearer = format!("Bearer {APPLICATION}");
    let asked = request(READ, &[("authorization", &bearer)]);
    refuses(&door, asked, 403, &[JSON], FORBIDDEN).await;
}

#[tokio::test]
async fn limits_tell_whole_seconds_and_no_retry_after() {
    let door = open("datadog", &[Known { quota: Some(("monitors_api", 1)), ..KEY }]);
    let unused = limits(1, 1, 60);
    refuses(&door, request(WRITE, &PAIR), 403, &and(&unused, &[JSON]), FORBIDDEN).await;
    assert_eq!(send(&door, request(READ, &PAIR)).await.status(), 200);
    let spent = limits(1, 0, 60);
    let body = r#"{"errors":["Rate limit of 1 requests in 60 seconds reached"]}"#;
    refuses(&door, request(READ, &PAIR), 429, &and(&spent, &[JSON]), body).await;
}
