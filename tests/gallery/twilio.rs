//! Twilio: a key of two values, the account in the path, and the requests in flight in a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;

use super::door::{Known, answer, open, refuses, request, without_store};

const SID: &str = "SK12345678901234567890123456789012";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz012345";
const ACCOUNT: &str = "AC12345678901234567890123456789012";
const OTHER: &str = "AC00000000000000000000000000000000";
const JSON: &str = "content-type: application/json";
const ID: &str = "twilio-request-id: ID";
const CHALLENGE: &str = r#"www-authenticate: Basic realm="Twilio API""#;
const NOT_VALID: &str = r#"{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#;

const KEY: Known<'_> =
    Known { id: SID, account: ACCOUNT, scopes: &["messages.read"], ..Known::new(SECRET) };

fn asked(method: &str, account: &str, pair: Option<(&str, &str)>) -> Request<()> {
    let line = format!("{method} /2010-04-01/Accounts/{account}/Messages.json");
    let value = pair
        .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    let headers: Vec<_> = value.iter().map(|value| ("authorization", value.as_str())).collect();
    request(&line, &headers)
}

#[tokio::test]
async fn keys_are_refused_as_documented() {
    let door = open("twilio", &[KEY]);
    let admitted = answer(&door, asked("GET", ACCOUNT, Some((SID, SECRET)))).await;
    assert!(admitted.starts_with("200\n"), "{admitted}");
    assert!(admitted.contains("twilio-concurrent-requests: 1\n"), "{admitted}");
    let missing = r#"{"code":20003,"message":"Authenticate with a SID and its secret","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#;
    refuses(&door, asked("GET", ACCOUNT, None), 401, &[JSON, ID, CHALLENGE], missing).await;
    let wrong = SECRET.replace('a', "b");
    for (account, user, password) in [
        (ACCOUNT, SID, &*wrong),
        (ACCOUNT, "SK00000000000000000000000000000000", SECRET),
        (ACCOUNT, SID, "no secret"),
        // As a wrong key.
        (OTHER, SID, SECRET),
    ] {
        let request = asked("GET", account, Some((user, password)));
        refuses(&door, request, 401, &[JSON, ID, CHALLENGE], NOT_VALID).await;
    }
    let door = open("twilio", &[Known { revoked: true, ..KEY }]);
    let request = asked("GET", ACCOUNT, Some((SID, SECRET)));
    refuses(&door, request, 401, &[JSON, ID, CHALLENGE], NOT_VALID).await;
}

#[tokio::test]
async fn other_refusals_repeat_code_and_status() {
    let asked = |method| asked(method, ACCOUNT, Some((SID, SECRET)));
    let door = open("twilio", &[Known { quota: Some(("requests", 1)), ..KEY }]);
    let scope = r#"{"code":70051,"message":"The key lacks the permission messages.create","more_info":"https://www.twilio.com/docs/errors/70051","status":403}"#;
    refuses(&door, asked("POST"), 403, &[JSON, ID], scope).await;
    answer(&door, asked("GET")).await;
    let limited = r#"{"code":20429,"message":"Too many requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}"#;
    refuses(&door, asked("GET"), 429, &[JSON, ID, "retry-after: 60"], limited).await;
    let down = r#"{"code":20503,"message":"Service unavailable","more_info":"https://www.twilio.com/docs/errors/20503","status":503}"#;
    let door = without_store("twilio");
    refuses(&door, asked("GET"), 503, &[JSON, ID, "retry-after: 5"], down).await;
}
