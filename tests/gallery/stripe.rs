//! Stripe: two schemes and one challenge, kinds of keys by their prefix, and an expired key that is told apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::door::{Known, answer, open, refuses, request, without_store};

const GOOD: &str = "sk_test_1234567890abcdefghijWXYZ";
const RESTRICTED: &str = "rk_test_1234567890abcdefghijWXYZ";
const PUBLISHABLE: &str = "pk_test_1234567890abcdefghijWXYZ";
const JSON: &str = "content-type: application/json";
const ID: &str = "request-id: ID";
const CHALLENGE: &str = r#"www-authenticate: Basic realm="Stripe""#;

const KEY: Known<'_> = Known {
    account: "acct_1",
    scopes: &["rak_customer_read", "rak_customer_write"],
    kind: Some("secret"),
    environment: Some("test"),
    ..Known::new(GOOD)
};

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn a_key_comes_as_a_token_or_as_a_user_name() {
    let door = open("stripe", &[KEY]);
    let basic = format!("Basic {}", STANDARD.encode(format!("{GOOD}:")));
    for value in [bearer(GOOD), basic] {
        let admitted =
            answer(&door, request("GET /v1/customers", &[("authorization", &value)])).await;
        assert!(admitted.starts_with("200\n"), "{admitted}");
    }
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("stripe", &[KEY]);
    let missing = r#"{"error":{"message":"No API key was sent: send it as 'Authorization: Bearer KEY'.","type":"invalid_request_error"}}"#;
    refuses(&door, request("GET /v1/customers", &[]), 401, &[JSON, ID, CHALLENGE], missing).await;
    for (key, shown) in [
        ("sk_test_0234567890abcdefghijWXYZ", "sk_test_****WXYZ"),
        ("sk_live_1234567890abcdefghijWXYZ", "sk_live_****WXYZ"),
        ("another-1234567890abcdefghijWXYZ", "****WXYZ"),
        ("short", "****"),
    ] {
        let body = format!(
            r#"{{"error":{{"message":"Invalid API key provided: {shown}","type":"invalid_request_error"}}}}"#
        );
        let asked = request("GET /v1/customers", &[("authorization", &bearer(key))]);
        refuses(&door, asked, 401, &[JSON, ID, CHALLENGE], &body).await;
    }
    let door = open("stripe", &[Known { revoked: true, ..KEY }]);
    let expired = r#"{"error":{"code":"api_key_expired","doc_url":"https://stripe.com/docs/error-codes/api-key-expired","message":"Expired API key provided: sk_test_****WXYZ","type":"invalid_request_error"}}"#;
    let asked = request("GET /v1/customers", &[("authorization", &bearer(GOOD))]);
    refuses(&door, asked, 401, &[JSON, ID, CHALLENGE], expired).await;
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused_as_documented() {
    let restricted = Known {
        key: RESTRICTED,
        id: "key_2",
        kind: Some("restricted"),
        scopes: &["rak_customer_read"],
        ..KEY
    };
    let publishable = Known { key: PUBLISHABLE, id: "key_3", kind: Some("publishable"), ..KEY };
    let door = open("stripe", &[KEY, restricted, publishable]);
    let asked = request("POST /v1/customers", &[("authorization", &bearer(RESTRICTED))]);
    let scope = r#"{"error":{"message":"The key 'rk_test_****WXYZ' of 'acct_1' lacks the permission 'rak_customer_write'.","type":"invalid_request_error"}}"#;
    refuses(&door, asked, 403, &[JSON, ID], scope).await;
    let asked = request("GET /v1/customers", &[("authorization", &bearer(PUBLISHABLE))]);
    let kind = r#"{"error":{"code":"secret_key_required","doc_url":"https://stripe.com/docs/error-codes/secret-key-required","message":"The key 'pk_test_****WXYZ' may not be used for this.","type":"invalid_request_error"}}"#;
    refuses(&door, asked, 403, &[JSON, ID], kind).await;
    let other = [("authorization", &*bearer(GOOD)), ("stripe-account", "acct_2")];
    let account = r#"{"error":{"code":"account_invalid","doc_url":"https://stripe.com/docs/error-codes/account-invalid","message":"The key 'sk_test_****WXYZ' has no access to this account.","type":"invalid_request_error"}}"#;
    refuses(&door, request("GET /v1/customers", &other), 403, &[JSON, ID], account).await;
    let own = [("authorization", &*bearer(GOOD)), ("stripe-account", "acct_1")];
    assert!(answer(&door, request("GET /v1/customers", &own)).await.starts_with("200\n"));
}

#[tokio::test]
async fn limits_and_failures_are_reported_as_documented() {
    let asked = || request("GET /v1/customers", &[("authorization", &bearer(GOOD))]);
    for name in ["global-rate", "endpoint-rate"] {
        let door = open("stripe", &[Known { quota: Some((name, 1)), ..KEY }]);
        answer(&door, asked()).await;
        let limited = r#"{"error":{"code":"rate_limit","message":"Too many requests in a short time.","type":"invalid_request_error"}}"#;
        let reason = format!("stripe-rate-limited-reason: {name}");
        let headers = [JSON, ID, "retry-after: 60", &reason, "stripe-should-retry: true"];
        refuses(&door, asked(), 429, &headers, limited).await;
    }
    let down = r#"{"error":{"message":"An error of the server.","type":"api_error"}}"#;
    refuses(&without_store("stripe"), asked(), 503, &[JSON, ID, "retry-after: 5"], down).await;
}
