//! Polyteia, through its one endpoint.

use crate::curl::{Answer, bearer, curl};
use crate::server::Demo;

const VENDOR: &str = "polyteia";
const JSON: &str = "Content-Type: application/json";
const LIST: &str = r#"{"command":"list_datasets","params":{}}"#;
const CREATE: &str = r#"{"command":"create_dataset","params":{"name":"Trees"}}"#;
const INVALID: &str = r#"{"error":{"code":"unauthorized","message":"The access key is invalid."}}"#;

fn call(demo: &Demo, label: &str, kind: &str, content: &str) -> Answer {
    let header = bearer(demo, VENDOR, label);
    let url = format!("{}/api", demo.https());
    curl(demo, &["-H", &header, "-H", kind, "-d", content, &url])
}

#[test]
fn a_command_needs_the_permission_of_the_account() {
    let demo = Demo::start(&[]);
    let created = call(&demo, "editor", JSON, CREATE);
    assert_eq!(created.status, 200, "{created:?}");
    assert_eq!(created.json()["data"]["name"], "Trees");
    assert!(created.json()["data"]["id"].is_string());
    let listed = call(&demo, "editor", "content-type: Application/JSON; charset=utf-8", LIST);
    assert!(listed.body.contains("Trees"), "{listed:?}");

    let listed = call(&demo, "viewer", JSON, LIST);
    assert_eq!(listed.status, 200);
    assert!(listed.json()["data"].is_array());
    assert!(!listed.body.contains("Trees"), "another account's: {listed:?}");
    call(&demo, "viewer", JSON, CREATE).is_refusal(
        403,
        r#"{"error":{"code":"forbidden","message":"You do not have permission to perform this action."}}"#,
        Some(r#"Bearer realm="Polyteia", error="insufficient_scope", scope="dataset.write""#),
    );
    for broken in ["{", "[]", r#"{"params":{}}"#, r#"{"command":"drop_all"}"#] {
        let answer = call(&demo, "editor", JSON, broken);
        assert_eq!(answer.status, 400, "{broken}");
        assert!(answer.json()["error"]["code"].is_string(), "{broken}");
    }
}

#[test]
fn refusals_are_the_documented_ones() {
    let demo = Demo::start(&[]);
    let url = format!("{}/api", demo.https());
    let missing = r#"{"error":{"code":"unauthorized","message":"Authentication is required."}}"#;
    let bare = Some(r#"Bearer realm="Polyteia""#);
    curl(&demo, &["-H", JSON, "-d", LIST, &url]).is_refusal(401, missing, bare);
    let key = demo.key(VENDOR, "editor");
    let basic = ["-u", &format!("api:{key}"), "-H", JSON, "-d", LIST, &url];
    curl(&demo, &basic).is_refusal(401, missing, bare);
    let invalid = Some(r#"Bearer realm="Polyteia", error="invalid_token""#);
    for label in ["expired", "deleted", "unlisted"] {
        call(&demo, label, JSON, LIST).is_refusal(401, INVALID, invalid);
    }
    for kind in ["Content-Type:", "Content-Type: text/plain", "Content-Type: application/jsonp"] {
        let answer = call(&demo, "editor", kind, LIST);
        answer.is_refusal(
            400,
            r#"{"error":{"code":"invalid_content_type","message":"Content-Type must be application/json."}}"#,
            Some(r#"Bearer realm="Polyteia", error="invalid_request""#),
        );
    }
}
