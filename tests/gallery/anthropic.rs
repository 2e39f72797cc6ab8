//! Anthropic: two headers for one key, a version that is required, and the id of the request in header and body.

use super::door::{Known, answer, open, refuses, request, without_store};

const GOOD: &str = "sk-ant-api03-123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123AA";
const WRONG: &str = "sk-ant-api03-023456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123AA";
const JSON: &str = "content-type: application/json";
const ID: &str = "request-id: ID";
const ACCOUNT: &str = "anthropic-organization-id: org-1";
const VERSION: (&str, &str) = ("anthropic-version", "2026-10-21");
const BARE: &str = r#"www-authenticate: Bearer realm="Anthropic API""#;
const INVALID: &str = r#"www-authenticate: Bearer realm="Anthropic API", error="invalid_token""#;

const KEY: Known<'_> = Known { account: "org-1", scopes: &["models.read"], ..Known::new(GOOD) };

const NOT_VALID: &str = r#"{"type":"error","error":{"type":"authentication_error","message":"The API key is not valid."},"request_id":"ID"}"#;

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn either_header_has_the_key() {
    let (good, wrong) = (&*bearer(GOOD), &*bearer(WRONG));
    let door = open("anthropic", &[KEY]);
    for headers in [
        &[VERSION, ("authorization", good)][..],
        &[VERSION, ("x-api-key", GOOD)],
        &[VERSION, ("authorization", good), ("x-api-key", GOOD)],
    ] {
        let admitted = answer(&door, request("GET /v1/models", headers)).await;
        assert!(admitted.starts_with("200\n") && admitted.contains("request-id: ID\n"));
    }
    let both = [VERSION, ("authorization", good), ("x-api-key", WRONG)];
    let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Send exactly one API key."},"request_id":"ID"}"#;
    refuses(&door, request("GET /v1/models", &both), 400, &[JSON, ID], body).await;
    // The key is judged before the version.
    for headers in [&[("authorization", wrong)][..], &[("x-api-key", WRONG)]] {
        let asked = request("GET /v1/models", headers);
        refuses(&door, asked, 401, &[JSON, ID, INVALID], NOT_VALID).await;
    }
    let missing = r#"{"type":"error","error":{"type":"authentication_error","message":"No API key was sent: send it in the header Authorization, or in x-api-key."},"request_id":"ID"}"#;
    refuses(&door, request("GET /v1/models", &[VERSION]), 401, &[JSON, ID, BARE], missing).await;
    let revoked = open("anthropic", &[Known { revoked: true, ..KEY }]);
    let asked = request("GET /v1/models", &[VERSION, ("authorization", good)]);
    refuses(&revoked, asked, 401, &[JSON, ID, INVALID], NOT_VALID).await;
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let good = &*bearer(GOOD);
    let marked = [
        JSON,
        ID,
        ACCOUNT,
        "anthropic-ratelimit-requests-limit: 50",
        "anthropic-ratelimit-requests-remaining: 50",
        "anthropic-ratelimit-requests-reset: 2027-01-15T08:01:00Z",
    ];
    let door = open("anthropic", &[KEY]);
    for (version, message) in [
        (None, "anthropic-version: missing"),
        (Some("2020-01-01"), "anthropic-version: not acceptable"),
    ] {
        let mut headers = vec![("authorization", good)];
        headers.extend(version.map(|version| ("anthropic-version", version)));
        let body = format!(
            r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{message}"}},"request_id":"ID"}}"#
        );
        refuses(&door, request("GET /v1/models", &headers), 400, &marked, &body).await;
    }
    let scope = r#"{"type":"error","error":{"type":"permission_error","message":"The API key lacks a permission for this: messages.write"},"request_id":"ID"}"#;
    let asked = request("POST /v1/messages", &[VERSION, ("authorization", good)]);
    refuses(&door, asked, 403, &marked, scope).await;
}

#[tokio::test]
async fn limits_and_failures_are_reported_as_documented() {
    let good = &*bearer(GOOD);
    let asked = || request("GET /v1/models", &[VERSION, ("authorization", good)]);
    let door = open("anthropic", &[Known { quota: Some(("requests", 1)), ..KEY }]);
    answer(&door, asked()).await;
    let limited = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Rate limit of your organization: 1 requests in 60 seconds."},"request_id":"ID"}"#;
    let headers = [
        JSON,
        ID,
        ACCOUNT,
        "retry-after: 60",
        "anthropic-ratelimit-requests-limit: 1",
        "anthropic-ratelimit-requests-remaining: 0",
        "anthropic-ratelimit-requests-reset: 2027-01-15T08:01:00Z",
    ];
    refuses(&door, asked(), 429, &headers, limited).await;

    let door = open("anthropic", &[Known { quota: Some(("spend", 1)), ..KEY }]);
    answer(&door, asked()).await;
    let spent = r#"{"type":"error","error":{"type":"rate_limit_error","message":"The spend limit is reached.","details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"ID"}"#;
    refuses(&door, asked(), 429, &[JSON, ID, ACCOUNT, "x-should-retry: false"], spent).await;

    let down = r#"{"type":"error","error":{"type":"api_error","message":"The API key cannot be checked now.","details":{"error_code":"authorization_check_unavailable"}},"request_id":"ID"}"#;
    let door = without_store("anthropic");
    refuses(&door, asked(), 503, &[JSON, ID, "retry-after: 5"], down).await;
}
