//! The management API of the demo: it issues keys that Persona's gate accepts, and revokes them.

use serde_json::json;

use crate::curl::curl;
use crate::server::Demo;

#[test]
fn a_managed_key_is_one_of_persona_until_it_is_revoked() {
    let demo = Demo::start(&[]);
    let admin = format!("Authorization: Bearer {}", demo.key("manage", "admin"));
    let url = |path: &str| format!("{}{path}", demo.https());
    let draft = json!({
        "account": "org_acme", "environment": "production", "name": "reader",
        "scopes": ["inquiry.read"],
    });
    let post = |path: &str, body: &str| {
        let json = "Content-Type: application/json";
        curl(&demo, &[&url(path), "-H", &admin, "-H", json, "-d", body])
    };
    let created = post("/manage/keys", &draft.to_string());
    assert_eq!(created.status, 201, "{created:?}");
    let (key, secret) = (created.json()["key"]["id"].clone(), created.json()["secret"].clone());
    let (key, secret) = (key.as_str().unwrap(), secret.as_str().unwrap());
    let bearer = format!("Authorization: Bearer {secret}");
    let inquiries = || curl(&demo, &[&url("/api/v1/inquiries"), "-H", &bearer]);
    assert_eq!(inquiries().status, 200);

    let revoked = post(&format!("/manage/keys/{key}/revoke"), r#"{"reason":"tried"}"#);
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(inquiries().status, 401);

    let stranger = format!("Authorization: Bearer {}", demo.key("persona", "production"));
    let refused = curl(&demo, &[&url("/manage/keys"), "-H", &stranger]);
    assert_eq!(refused.status, 401, "{refused:?}");
    let wrong = curl(&demo, &[&url("/manage/nothing"), "-H", &admin]);
    assert_eq!(wrong.status, 404);
    let method = curl(&demo, &[&url("/manage/keys"), "-H", &admin, "-X", "DELETE"]);
    assert_eq!((method.status, method.header("allow")), (405, Some("GET,HEAD,POST")));
}

#[test]
fn the_staff_sees_a_counter_and_gives_quota_back() {
    let demo = Demo::start(&[]);
    let admin = format!("Authorization: Bearer {}", demo.key("manage", "admin"));
    let json = "Content-Type: application/json";
    let url = |path: &str| format!("{}{path}", demo.https());
    let put = |plan: &str| {
        let body = json!({ "scopes": ["inquiry.read"], "plan": plan }).to_string();
        let arguments = ["-H", &admin, "-H", json, "-H", "If-Match: *", "-X", "PUT", "-d", &body];
        curl(&demo, &[&[url("/manage/accounts/org_globex").as_str()], &arguments[..]].concat())
    };
    assert_eq!(put("silver").status, 422, "there is no such plan");
    assert_eq!(put("free").status, 200);
    let bearer = format!("Authorization: Bearer {}", demo.key("persona", "production"));
    let answer = curl(&demo, &[&url("/api/v1/inquiries"), "-H", &bearer]);
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, Some("60")));
    let minute = |answer: &serde_json::Value| answer["data"][0]["remaining"].clone();
    let counters = url("/manage/counters/key_persona_production");
    let read = curl(&demo, &[&counters, "-H", &admin]);
    assert_eq!((read.status, minute(&read.json())), (200, json!(59)), "{read:?}");
    let reset = format!("{counters}/reset?reason=tried");
    let given = curl(&demo, &[&reset, "-H", &admin, "-H", json, "-d", r#"{"quota":"minute"}"#]);
    assert_eq!((given.status, minute(&given.json())), (200, json!(60)), "{given:?}");
}
