//! Freshdesk: the key as the user name, decimals in limit headers, and costs by the query.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::door::{Known, answer, open, refuses, request, without_store};
use crate::support::send;

const KEY: &str = "0123456789abcdefghijklmn";
const READ: &str = "GET /api/v2/tickets";
const WRITE: &str = "POST /api/v2/tickets";
const JSON: &str = "content-type: application/json";
const VERSION: &str = "x-freshdesk-api-version: latest=v2; requested=v2";
const CHALLENGE: &str = r#"www-authenticate: Basic realm="Freshdesk", charset="UTF-8""#;
const INVALID: &str = r#"{"code":"invalid_credentials","message":"You have to be logged in to perform this action."}"#;

const fn known(scopes: &'static [&'static str]) -> Known<'static> {
    Known { scopes, ..Known::new(KEY) }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn limits(total: &str, left: &str, cost: &str) -> Vec<String> {
    vec![
        format!("x-ratelimit-remaining: {left}"),
        format!("x-ratelimit-total: {total}"),
        format!("x-ratelimit-used-currentrequest: {cost}"),
    ]
}

fn and<'a>(lines: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    lines.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("freshdesk", &[known(&["tickets.read"])]);
    let revoked = open("freshdesk", &[Known { revoked: true, ..known(&["tickets.read"]) }]);
    let lines = [JSON, CHALLENGE, VERSION];
    for (door, value) in [
        (&door, basic("1123456789abcdefghijklmn", "X")),
        (&door, basic("agent@example.com", "password")),
        (&door, "Bearer token".to_owned()),
        (&door, "Basic !".to_owned()),
        (&revoked, basic(KEY, "X")),
    ] {
        refuses(door, request(READ, &[("authorization", &value)]), 401, &lines, INVALID).await;
    }
    refuses(&door, request(READ, &[]), 401, &lines, INVALID).await;
    let down = r#"{"code":"unavailable","message":"Try again later."}"#;
    let asked = request(READ, &[("authorization", &basic(KEY, "X"))]);
    refuses(&without_store("freshdesk"), asked, 503, &[JSON, VERSION, "retry-after: 5"], down)
        .await;
}

#[tokio::test]
async fn any_password_passes_and_the_query_costs() {
    for (password, query, left, cost) in [
        ("X", "", "699.0", "1.0"),
        ("", "", "699.0", "1.0"),
        ("unused_with_api_key", "?include=requester,stats", "695.0", "5.0"),
    ] {
        let door = open("freshdesk", &[known(&["tickets.read"])]);
        let value = basic(KEY, password);
        let asked = request(&format!("{READ}{query}"), &[("authorization", &value)]);
        let lines = limits("700.0", left, cost).join("\n");
        let version = VERSION;
        let expected = format!("200\n{version}\n{lines}\n\nhello acme");
        assert_eq!(answer(&door, asked).await, expected);
    }
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let value = basic(KEY, "X");
    let key = ("authorization", &*value);
    let door = open("freshdesk", &[known(&["tickets.read"])]);
    let unused = limits("700.0", "700.0", "0.0");
    let denied =
        r#"{"code":"access_denied","message":"You are not authorized to perform this action."}"#;
    let lines = and(&unused, &[JSON, VERSION]);
    refuses(&door, request(WRITE, &[key]), 403, &lines, denied).await;
    let form = [key, ("content-type", "application/x-www-form-urlencoded")];
    let media = r#"{"code":"invalid_content_type","message":"Send application/json."}"#;
    refuses(&door, request(WRITE, &form), 415, &lines, media).await;
    let nothing = and(&unused, &[VERSION]);
    refuses(&door, request("GET /api/v2/nothing", &[key]), 404, &nothing, "").await;

    let tight = Known { quota: Some(("account", 1)), ..known(&["tickets.read"]) };
    let door = open("freshdesk", &[tight]);
    assert_eq!(send(&door, request(READ, &[key])).await.status(), 200);
    let spent = limits("1.0", "0.0", "1.0");
    let body = r#"{"message":"You have exceeded the limit of 1 requests in 60 seconds."}"#;
    let lines = and(&spent, &[JSON, VERSION, "retry-after: 60"]);
    refuses(&door, request(READ, &[key]), 429, &lines, body).await;
}
