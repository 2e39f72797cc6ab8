//! DeepL: a scheme of its own, keys with a suffix, one text for every refused key, and 456 for a spent quota.

use super::door::{Known, answer, open, refuses, request, without_store};

const GOOD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const FREE: &str = "01890a5d-ac96-774b-bcce-b302099a8057:fx";
const JSON: &str = "content-type: application/json";
const ID: &str = "x-trace-id: ID";
const NO: &str =
    r#"{"message":"Authorization failed: the key is missing, not valid, or lacks a scope."}"#;

const KEY: Known<'_> = Known { scopes: &["languages:read"], ..Known::new(GOOD) };

#[tokio::test]
async fn every_key_is_refused_with_one_text() {
    let free = Known { key: FREE, id: "key_2", environment: Some(":fx"), ..KEY };
    let door = open("deepl", &[KEY, free]);
    for key in [GOOD, FREE] {
        let value = format!("DeepL-Auth-Key {key}");
        let admitted = answer(&door, request("GET /v2/languages", &[("authorization", &value)]));
        assert!(admitted.await.starts_with("200\n"), "{key}");
    }
    let good = format!("DeepL-Auth-Key {GOOD}");
    let wrong = good.replace("8057", "8058");
    for (line, value) in [
        ("GET /v2/languages", None),
        ("GET /v2/languages", Some(&*wrong)),
        ("GET /v2/languages", Some("DeepL-Auth-Key x")),
        ("GET /v2/languages", Some("Bearer 01890a5d-ac96-774b-bcce-b302099a8057")),
        ("POST /v2/translate", Some(&*good)),
    ] {
        let headers: Vec<_> = value.map(|value| ("authorization", value)).into_iter().collect();
        refuses(&door, request(line, &headers), 403, &[JSON, ID], NO).await;
    }
    let door = open("deepl", &[Known { revoked: true, ..KEY }]);
    let asked = request("GET /v2/languages", &[("authorization", &good)]);
    refuses(&door, asked, 403, &[JSON, ID], NO).await;
}

#[tokio::test]
async fn limits_and_failures_have_their_statuses() {
    let value = format!("DeepL-Auth-Key {GOOD}");
    let asked = || request("GET /v2/languages", &[("authorization", &value)]);
    for (quota, status, headers, body) in [
        (
            "requests",
            429,
            &[JSON, ID, "retry-after: 60"][..],
            r#"{"message":"Too many requests."}"#,
        ),
        ("characters", 456, &[JSON, ID], r#"{"message":"Quota exceeded."}"#),
    ] {
        let door = open("deepl", &[Known { quota: Some((quota, 1)), ..KEY }]);
        answer(&door, asked()).await;
        refuses(&door, asked(), status, headers, body).await;
    }
    let down = r#"{"message":"Service unavailable"}"#;
    refuses(&without_store("deepl"), asked(), 503, &[JSON, ID, "retry-after: 5"], down).await;
}
