//! OpenAI: a lacking scope is a 401, a wrong key is shown masked, and a spent budget stops the client.

use super::door::{Known, open, refuses, request, without_store};

const GOOD: &str = "sk-12345678901234567890T3BlbkFJ1234567890123456wxyz";
const WRONG: &str = "sk-12345678901234567890T3BlbkFJ1234567890123456abcd";
const JSON: &str = "content-type: application/json";
const VERSION: &str = "openai-version: 2020-10-01";
const ID: &str = "x-request-id: ID";
const CHALLENGE: &str = r#"www-authenticate: Bearer realm="OpenAI API""#;
const ACCOUNT: &str = "openai-organization: org-1";

const KEY: Known<'_> = Known { account: "org-1", scopes: &["api.model.read"], ..Known::new(GOOD) };

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let (good, wrong) = (&*bearer(GOOD), &*bearer(WRONG));
    let revoked = Known { key: WRONG, id: "key_2", revoked: true, ..KEY };
    let nothing = &[ID, JSON, VERSION, CHALLENGE][..];
    let shown = r#"{"error":{"message":"Incorrect API key provided: sk-****abcd. The settings of your account list your keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#;
    // An unknown key and a revoked one are answered alike.
    for door in [open("openai", &[KEY]), open("openai", &[KEY, revoked])] {
        let asked = request("GET /v1/models", &[("authorization", wrong)]);
        refuses(&door, asked, 401, nothing, shown).await;
    }
    let door = open("openai", &[KEY]);
    let missing = r#"{"error":{"message":"No API key was sent: send it in the header Authorization.","type":"invalid_request_error","param":null,"code":null}}"#;
    refuses(&door, request("GET /v1/models", &[]), 401, nothing, missing).await;
    let twice = request("GET /v1/models", &[("authorization", good), ("authorization", good)]);
    let ambiguous = r#"{"error":{"message":"Send exactly one API key, in the header Authorization.","type":"invalid_request_error","param":null,"code":null}}"#;
    refuses(&door, twice, 400, &[ID, JSON, VERSION], ambiguous).await;
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let good = &*bearer(GOOD);
    let limits = [
        "x-ratelimit-limit-requests: 500",
        "x-ratelimit-remaining-requests: 500",
        "x-ratelimit-reset-requests: 1m0s",
    ];
    let marked = [&limits[..], &[ID, JSON, VERSION, ACCOUNT]].concat();
    let door = open("openai", &[KEY]);
    let asked = request("POST /v1/chat/completions", &[("authorization", good)]);
    let scope = r#"{"error":{"message":"This key may not send this request. Missing scopes: model.request","type":"invalid_request_error","param":null,"code":"missing_scope"}}"#;
    refuses(&door, asked, 401, &[&marked[..], &[CHALLENGE]].concat(), scope).await;

    let other = [("authorization", good), ("openai-organization", "org-2")];
    let organization = r#"{"error":{"message":"The header OpenAI-Organization names another organization.","type":"invalid_request_error","param":null,"code":"mismatched_organization"}}"#;
    let asked = request("GET /v1/models", &other);
    refuses(&door, asked, 401, &[&marked[..], &[CHALLENGE]].concat(), organization).await;

    let asked = request("GET /v1/nothing", &[("authorization", good)]);
    let url = r#"{"error":{"message":"No such endpoint: GET /v1/nothing","type":"invalid_request_error","param":null,"code":"unknown_url"}}"#;
    refuses(&door, asked, 404, &marked, url).await;
}

#[tokio::test]
async fn limits_are_reported_as_documented() {
    let good = &*bearer(GOOD);
    let asked = || request("GET /v1/models", &[("authorization", good)]);
    let door = open("openai", &[Known { quota: Some(("requests", 1)), ..KEY }]);
    let admitted = super::door::answer(&door, asked()).await;
    assert!(admitted.contains("x-ratelimit-reset-requests: 1m0s\n"), "{admitted}");
    let limits = [
        "retry-after: 60",
        "x-ratelimit-limit-requests: 1",
        "x-ratelimit-remaining-requests: 0",
        "x-ratelimit-reset-requests: 1m0s",
    ];
    let marked = [&limits[..], &[ID, JSON, VERSION, ACCOUNT]].concat();
    let limited = r#"{"error":{"message":"Rate limit of org-1: 1 requests in 60 seconds. Try again in 60 s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
    refuses(&door, asked(), 429, &marked, limited).await;

    let door = open("openai", &[Known { quota: Some(("budget", 1)), ..KEY }]);
    super::door::answer(&door, asked()).await;
    let spent = r#"{"error":{"message":"The budget of org-1 is used up.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
    refuses(&door, asked(), 429, &[ACCOUNT, JSON, VERSION, ID, "x-should-retry: false"], spent)
        .await;

    let down = r#"{"error":{"message":"Try again later.","type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}}"#;
    let door = without_store("openai");
    refuses(&door, asked(), 503, &[JSON, VERSION, "retry-after: 5", ID], down).await;
}
