//! GitHub: two schemes, a status as a text, HTML for one refusal, and two limits of which one has headers.

use super::door::{Known, answer, open, refuses, request, without_store};
use crate::support::send;

const KEY: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
const OTHER: &str = "ghp_1123456789abcdefghijklmnopqrstuvwxyz";
const READ: &str = "GET /repos/octo/hello/issues";
const WRITE: &str = "POST /repos/octo/hello/issues";
const JSON: &str = "content-type: application/json; charset=utf-8";
const BAD: &str = r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}"#;

const fn known(scopes: &'static [&'static str]) -> Known<'static> {
    Known { scopes, ..Known::new(KEY) }
}

fn limits(limit: u32, left: u32, used: u32, reset: u64, resource: &str) -> Vec<String> {
    vec![
        format!("x-ratelimit-limit: {limit}"),
        format!("x-ratelimit-remaining: {left}"),
        format!("x-ratelimit-reset: {reset}"),
        format!("x-ratelimit-resource: {resource}"),
        format!("x-ratelimit-used: {used}"),
    ]
}

fn and<'a>(lines: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    lines.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("github", &[known(&["issues=read"])]);
    let revoked = open("github", &[Known { revoked: true, ..known(&["issues=read"]) }]);
    let lines = [
        JSON,
        r#"www-authenticate: Bearer realm="GitHub", error="invalid_token""#,
        r#"www-authenticate: token realm="GitHub""#,
    ];
    for (door, value) in [
        (&door, format!("token {OTHER}")),
        (&door, format!("Bearer {OTHER}")),
        (&door, "Bearer password".to_owned()),
        (&door, "Bearer".to_owned()),
        (&revoked, format!("token {KEY}")),
    ] {
        let asked = request(READ, &[("authorization", &value), ("user-agent", "test")]);
        refuses(door, asked, 401, &lines, BAD).await;
    }
    let missing = r#"{"message":"Requires authentication","documentation_url":"https://docs.github.com/rest","status":"401"}"#;
    let bare = [
        JSON,
        r#"www-authenticate: Bearer realm="GitHub""#,
        r#"www-authenticate: token realm="GitHub""#,
    ];
    refuses(&door, request(READ, &[("user-agent", "test")]), 401, &bare, missing).await;
    let down = without_store("github");
    let body = r#"{"message":"Service unavailable","documentation_url":"https://docs.github.com/rest","status":"503"}"#;
    let key = format!("token {KEY}");
    refuses(&down, request(READ, &[("authorization", &key)]), 503, &[JSON], body).await;
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let key = format!("token {KEY}");
    let good = [("authorization", &*key), ("user-agent", "test")];
    let door = open("github", &[known(&["issues=read"])]);
    let unused = limits(5_000, 5_000, 0, 1_800_003_600, "core");
    let permission = r#"{"message":"Resource not accessible by personal access token","documentation_url":"https://docs.github.com/rest/issues/issues","status":"403"}"#;
    let needed = "x-accepted-github-permissions: issues=write";
    refuses(&door, request(WRITE, &good), 403, &and(&unused, &[JSON, needed]), permission).await;

    let agent = "<p>Request forbidden by administrative rules. Make sure that it has a User-Agent header.</p>";
    let html = and(&unused, &["content-type: text/html"]);
    refuses(&door, request(READ, &[("authorization", &key)]), 403, &html, agent).await;

    let version = r#"{"message":"Invalid API version","errors":"The version is not acceptable","documentation_url":"https://docs.github.com/rest/about-the-rest-api/api-versions","status":"400"}"#;
    let other = [good[0], good[1], ("x-github-api-version", "1999-01-01")];
    refuses(&door, request(READ, &other), 400, &and(&unused, &[JSON]), version).await;

    let used = limits(5_000, 4_999, 1, 1_800_003_600, "core");
    let expected = format!("200\n{}\n\nhello acme", used.join("\n"));
    assert_eq!(answer(&door, request(READ, &good)).await, expected);
    let free = [good[0], good[1], ("x-github-api-version", "2026-03-10")];
    assert_eq!(answer(&door, request("GET /rate_limit", &free)).await, expected);
}

/// Search has a limit of its own, and takes nothing from the other.
#[tokio::test]
async fn the_path_chooses_the_limit() {
    let key = format!("Bearer {KEY}");
    let good = [("authorization", &*key), ("user-agent", "test")];
    let door = open("github", &[known(&["issues=read"])]);
    let search = limits(30, 29, 1, 1_800_000_060, "search");
    let found = answer(&door, request("GET /search/issues?q=a", &good)).await;
    assert_eq!(found, format!("200\n{}\n\nhello acme", search.join("\n")));
    let core = limits(5_000, 4_999, 1, 1_800_003_600, "core");
    let found = answer(&door, request(READ, &good)).await;
    assert_eq!(found, format!("200\n{}\n\nhello acme", core.join("\n")));
}

#[tokio::test]
async fn the_primary_limit_is_403_and_the_secondary_429() {
    let key = format!("token {KEY}");
    let good = [("authorization", &*key), ("user-agent", "test")];
    let tight = Known { quota: Some(("core", 1)), ..known(&["issues=read"]) };
    let door = open("github", &[tight]);
    assert_eq!(send(&door, request(READ, &good)).await.status(), 200);
    let spent = limits(1, 0, 1, 1_800_000_060, "core");
    let body = r#"{"message":"API rate limit exceeded for acme","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api","status":"403"}"#;
    refuses(&door, request(READ, &good), 403, &and(&spent, &[JSON]), body).await;

    let door = open("github", &[known(&["issues=write"])]);
    for _ in 0..80 {
        assert_eq!(send(&door, request(WRITE, &good)).await.status(), 200);
    }
    let core = limits(5_000, 4_920, 80, 1_800_003_600, "core");
    let body = r#"{"message":"You have exceeded a secondary rate limit. Wait before you try again.","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api","status":"429"}"#;
    let lines = and(&core, &[JSON, "retry-after: 60"]);
    refuses(&door, request(WRITE, &good), 429, &lines, body).await;
}
