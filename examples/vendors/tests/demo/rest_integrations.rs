//! REST API Integrations, through its demo routes.

use crate::curl::{Answer, bearer, curl};
use crate::server::Demo;

const VENDOR: &str = "rest_integrations";
const BARE: Option<&str> = Some(r#"Bearer realm="REST API Integrations""#);
const INVALID: Option<&str> =
    Some(r#"Bearer realm="REST API Integrations", error="invalid_token""#);
const REQUEST: Option<&str> =
    Some(r#"Bearer realm="REST API Integrations", error="invalid_request""#);

fn call(demo: &Demo, label: &str, arguments: &[&str], path: &str) -> Answer {
    let url = format!("{}{path}", demo.https());
    let header = bearer(demo, VENDOR, label);
    curl(demo, &[&["-H", &header], arguments, &[&url]].concat())
}

#[test]
fn users_are_read_and_written() {
    let demo = Demo::start(&[]);
    let created = call(&demo, "active", &["-d", r#"{"name":"linus"}"#], "/v1/users");
    assert_eq!((created.status, &created.json()["name"]), (201, &"linus".into()));
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let user = format!("/v1/users/{id}");
    let put = ["-X", "PUT", "-d", r#"{"name":"ken"}"#];
    let changed = call(&demo, "active", &put, &user);
    assert_eq!((changed.status, changed.body.as_str()), (204, ""));
    let seen = call(&demo, "read_only", &[], "/v1/users").body;
    assert!(seen.contains("ken") && !seen.contains("linus"), "{seen}");
    let strangers = call(&demo, "tight", &[], "/v1/users").body;
    assert!(!strangers.contains("ken"), "{strangers}");
    assert_eq!(call(&demo, "active", &["-X", "DELETE"], &user).status, 204);
    let seen = call(&demo, "read_only", &[], "/v1/users").body;
    assert!(!seen.contains("ken"), "{seen}");
    assert_eq!(call(&demo, "read_only", &["--head"], "/v1/users").status, 200);

    let broken = call(&demo, "active", &["-d", "{"], "/v1/users");
    assert_eq!(broken.status, 400);
    assert!(broken.json()["error"].is_string());
    assert_eq!(broken.header("www-authenticate"), None, "not the gate's doing");
}

#[test]
fn refusals_are_the_documented_ones() {
    let demo = Demo::start(&[]);
    let url = format!("{}/v1/users", demo.https());
    let missing = r#"{"error":"Missing API key."}"#;
    let malformed = r#"{"error":"Malformed Authorization header."}"#;
    let invalid = r#"{"error":"Invalid API key provided."}"#;
    for (headers, status, body, challenge) in [
        (&[][..], 401, missing, BARE),
        (&["Authorization: Basic YXBpOmtleQ=="], 401, missing, BARE),
        (&["Authorization: Bearer"], 400, malformed, REQUEST),
        (&["Authorization: Bearer a b"], 400, malformed, REQUEST),
        (
            &["Authorization: Bearer aaaaaaaaaaaaaaaa", "Authorization: Bearer b"],
            400,
            malformed,
            REQUEST,
        ),
        (&["Authorization: Bearer short"], 401, invalid, INVALID),
    ] {
        let mut arguments: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        arguments.push(&url);
        let answer = curl(&demo, &arguments);
        answer.is_refusal(status, body, challenge);
        assert_eq!(answer.header("ratelimit-remaining"), None, "it is a stranger");
    }
    for label in ["revoked", "expired", "unlisted"] {
        call(&demo, label, &[], "/v1/users").is_refusal(401, invalid, INVALID);
    }
    let query = format!("{url}?api_key={}", demo.key(VENDOR, "active"));
    curl(&demo, &[&query]).is_refusal(401, missing, BARE);

    let forbidden = r#"{"error":"You do not have permission to perform this action."}"#;
    let scope =
        r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.write""#;
    for (method, path) in [("POST", "/v1/users"), ("PUT", "/v1/users/1"), ("DELETE", "/v1/users/1")]
    {
        let answer = call(&demo, "read_only", &["-X", method, "-d", "{}"], path);
        answer.is_refusal(403, forbidden, Some(scope));
        assert_eq!(answer.number("ratelimit-remaining"), 100, "a refusal costs nothing");
    }
}

#[test]
fn quotas_are_told_and_kept() {
    let demo = Demo::start(&[]);
    for left in [2, 1, 0] {
        let answer = call(&demo, "tight", &[], "/v1/users");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.number("ratelimit-remaining"), left);
        assert!((1..=60).contains(&answer.number("ratelimit-reset")));
        assert_eq!(answer.header("ratelimit-limit"), None);
        assert_eq!(answer.header("retry-after"), None);
    }
    let answer = call(&demo, "tight", &[], "/v1/users");
    answer.is_refusal(429, r#"{"error":"Rate limit exceeded."}"#, None);
    assert_eq!(answer.number("ratelimit-remaining"), 0);
    let reset = answer.number("ratelimit-reset");
    assert!((1..=60).contains(&reset));
    assert_eq!(answer.number("retry-after"), reset);

    let first = call(&demo, "active", &[], "/v1/users");
    assert_eq!(first.number("ratelimit-remaining"), 99, "another account");
    let shared = call(&demo, "read_only", &[], "/v1/users");
    assert_eq!(shared.number("ratelimit-remaining"), 98, "one account, two keys");
}

#[test]
fn the_status_needs_no_key_and_counts_by_network() {
    let demo = Demo::start(&[]);
    let url = format!("{}/v1/status", demo.https());
    for remaining in ["4", "3", "2", "1", "0"] {
        let answer = curl(&demo, &[&url]);
        assert_eq!((answer.status, &answer.json()["account"]), (200, &serde_json::Value::Null));
        assert_eq!(answer.header("ratelimit-remaining"), Some(remaining));
    }
    let refused = curl(&demo, &[&url]);
    assert_eq!((refused.status, &*refused.body), (429, r#"{"error":"Rate limit exceeded."}"#));
    assert!(refused.header("retry-after").is_some());
    let keyed = call(&demo, "active", &[], "/v1/status");
    assert_eq!((keyed.status, &keyed.json()["account"]), (200, &"rest-acme".into()));
    assert_eq!(keyed.header("ratelimit-remaining"), Some("99"), "of the account");
}
