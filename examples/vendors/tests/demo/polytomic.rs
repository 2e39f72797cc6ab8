//! Polytomic, through its demo routes.

use serde_json::Value;

use crate::curl::{Answer, at_once, bearer, curl};
use crate::server::Demo;

const VENDOR: &str = "polytomic";
const VERSION: &str = "X-Polytomic-Version: 2024-02-08";
const INVALID: &str =
    r#"{"code":401,"context":{},"error":"The API key is invalid","status":"Unauthorized"}"#;
const MISSING: &str =
    r#"{"code":401,"context":{},"error":"No API key was provided","status":"Unauthorized"}"#;
const FORBIDDEN: &str =
    r#"{"key":"forbidden","message":"Permission denied","metadata":{},"status":403}"#;
const NOT_FOUND: &str = r#"{"key":"not_found","message":"Not found","metadata":{},"status":404}"#;

fn with(demo: &Demo, authorization: &str, arguments: &[&str], path: &str) -> Answer {
    let url = format!("{}{path}", demo.https());
    let headers = ["-H", authorization, "-H", VERSION];
    curl(demo, &[&headers, arguments, &[&url]].concat())
}

fn call(demo: &Demo, label: &str, arguments: &[&str], path: &str) -> Answer {
    with(demo, &bearer(demo, VENDOR, label), arguments, path)
}

/// Returns the path of a user's keys.
fn keys_of(organization: &Value, user: usize) -> String {
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let (organization, user) = (id(organization), id(&organization["users"][user]));
    format!("/api/organizations/{organization}/users/{user}/keys")
}

fn issued(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let key = answer.json()["data"]["value"].as_str().unwrap().to_owned();
    let digits = key.strip_prefix("pk_live_").unwrap();
    assert_eq!(digits.len(), 32);
    assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    format!("Authorization: Bearer {key}")
}

#[test]
fn each_kind_of_key_has_its_routes() {
    let demo = Demo::start(&[]);
    let acme = &demo.manifest["organizations"][0];
    let users = format!("/api/organizations/{}/users", acme["id"].as_str().unwrap());
    for (path, partner, organization) in [
        ("/api/me", 200, 200),
        ("/api/organizations", 200, 403),
        (users.as_str(), 200, 403),
        ("/api/bulk/syncs", 403, 200),
    ] {
        for (label, status) in [("partner", partner), ("organization", organization)] {
            let answer = call(&demo, label, &[], path);
            assert_eq!(answer.status, status, "{label} {path} {answer:?}");
            if status == 403 {
                answer.is_refusal(403, FORBIDDEN, None);
                continue;
            }
            let data = answer.json()["data"].clone();
            let items = if data.is_array() { data } else { [data].into_iter().collect() };
            for item in items.as_array().unwrap() {
                assert!(item["id"].is_string() && item["name"].is_string(), "{item}");
            }
        }
    }
    let me = call(&demo, "organization", &[], "/api/me").json();
    assert_eq!(me["data"]["organization_id"], acme["id"]);
    let listed = call(&demo, "partner", &[], "/api/organizations").body;
    assert!(listed.contains("Acme") && !listed.contains("Initech"), "{listed}");
}

#[test]
fn refusals_are_the_documented_ones() {
    let demo = Demo::start(&[]);
    let url = format!("{}/api/me", demo.https());
    let bare = Some(r#"Bearer realm="Polytomic""#);
    let invalid = Some(r#"Bearer realm="Polytomic", error="invalid_token""#);
    curl(&demo, &["-H", VERSION, &url]).is_refusal(401, MISSING, bare);
    call(&demo, "unlisted", &[], "/api/me").is_refusal(401, INVALID, invalid);
    let deployment = demo.key(VENDOR, "deployment");
    for pair in [format!("{deployment}:"), format!("any:{deployment}")] {
        let answer = curl(&demo, &["-H", VERSION, "-u", &pair, &url]);
        answer.is_refusal(401, MISSING, bare);
    }
    call(&demo, "deployment", &[], "/api/me").is_refusal(401, INVALID, invalid);
    let header = bearer(&demo, VENDOR, "organization");
    for version in ["X-Polytomic-Version:", "X-Polytomic-Version;", "X-Polytomic-Version: latest"] {
        curl(&demo, &["-H", &header, "-H", version, &url]).is_refusal(
            400,
            r#"{"key":"invalid_version","message":"The X-Polytomic-Version header is missing or invalid","metadata":{},"status":400}"#,
            Some(r#"Bearer realm="Polytomic", error="invalid_request""#),
        );
    }
    let unknown = call(&demo, "organization", &[], "/api/unknown");
    unknown.is_refusal(404, NOT_FOUND, None);
}

#[test]
fn a_partner_issues_keys_that_serve_at_once() {
    let demo = Demo::start(&[]);
    let organizations = &demo.manifest["organizations"];
    let path = keys_of(&organizations[0], 0);
    let first = issued(&call(&demo, "partner", &["-X", "POST"], &path));
    let second = issued(&call(&demo, "partner", &["-X", "POST"], &path));
    for key in [&first, &second] {
        let me = with(&demo, key, &[], "/api/me");
        assert_eq!(me.json()["data"]["organization_id"], organizations[0]["id"]);
        assert_eq!(with(&demo, key, &[], "/api/bulk/syncs").status, 200);
        with(&demo, key, &["-X", "POST"], &path).is_refusal(403, FORBIDDEN, None);
    }
    let neighbour = keys_of(&organizations[0], 1);
    let neighbour = issued(&call(&demo, "partner", &["-X", "POST"], &neighbour));

    let forced = format!("{path}?force=true");
    let third = issued(&call(&demo, "partner", &["-X", "POST"], &forced));
    for (key, status) in [(&first, 401), (&second, 401), (&third, 200), (&neighbour, 200)] {
        assert_eq!(with(&demo, key, &[], "/api/me").status, status, "{key}");
    }
    let keys: Vec<String> = at_once(
        &demo,
        4,
        &[
            "-X",
            "POST",
            "-H",
            VERSION,
            "-H",
            &bearer(&demo, VENDOR, "partner"),
            &format!("{}{forced}", demo.https()),
        ],
    )
    .iter()
    .map(issued)
    .collect();
    let living = keys.iter().filter(|key| with(&demo, key, &[], "/api/me").status == 200);
    assert_eq!(living.count(), 1, "forced at once, one is left");
    let again = format!("{path}?force=maybe");
    assert_eq!(call(&demo, "partner", &["-X", "POST"], &again).status, 400);
}

#[test]
fn issued_keys_outlive_a_demo_with_a_database() {
    let file = std::env::temp_dir().join(format!("demo-test-{}.db", std::process::id()));
    let url = format!("sqlite:{}", file.display());
    let store = ["--store", url.as_str()];
    let demo = Demo::start(&store);
    let path = keys_of(&demo.manifest["organizations"][0], 0);
    let first = issued(&call(&demo, "partner", &["-X", "POST"], &path));
    assert_eq!(with(&demo, &first, &[], "/api/me").status, 200);
    let second = issued(&call(&demo, "partner", &["-X", "POST"], &format!("{path}?force=true")));
    for (key, status) in [(&first, 401), (&second, 200)] {
        assert_eq!(with(&demo, key, &[], "/api/me").status, status, "at once");
    }
    let partner = bearer(&demo, VENDOR, "partner");
    for end in ["", "-wal", "-shm"] {
        let metadata = std::fs::metadata(format!("{}{end}", file.display())).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o777, 0o600, "{end}: keys are their owner's");
    }
    drop(demo);

    let demo = Demo::start(&store);
    for (key, status) in [(&first, 401), (&second, 200)] {
        assert_eq!(with(&demo, key, &[], "/api/me").status, status, "after a restart");
    }
    assert_eq!(with(&demo, &partner, &[], "/api/me").status, 200, "so does a demo key");
    assert_ne!(bearer(&demo, VENDOR, "partner"), partner);
    assert_eq!(call(&demo, "partner", &[], "/api/me").status, 200, "and the one that is told now");
    drop(demo);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", file.display()));
    }
}

#[test]
fn what_a_partner_may_not_manage_is_not_there() {
    let demo = Demo::start(&[]);
    let organizations = &demo.manifest["organizations"];
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let foreign_user = id(&organizations[1]["users"][0]);
    for path in [
        keys_of(&organizations[2], 0),
        format!("/api/organizations/{}/users/{foreign_user}/keys", id(&organizations[0])),
        format!("/api/organizations/{0}/users/{0}/keys", id(&organizations[0])),
        "/api/organizations/not-a-uuid/users/x/keys".to_owned(),
    ] {
        let answer = call(&demo, "partner", &["-X", "POST"], &path);
        answer.is_refusal(404, NOT_FOUND, None);
    }
    let users = format!("/api/organizations/{}/users", id(&organizations[2]));
    call(&demo, "partner", &[], &users).is_refusal(404, NOT_FOUND, None);
}

#[test]
fn on_premises_the_deployment_key_may_do_all() {
    let demo = Demo::start(&["--on-premises"]);
    let url = |path: &str| format!("{}{path}", demo.https());
    let key = demo.key(VENDOR, "deployment");
    let organizations = &demo.manifest["organizations"];
    for pair in [format!("{key}:"), format!("any:{key}")] {
        for path in ["/api/me", "/api/organizations", "/api/bulk/syncs"] {
            let answer = curl(&demo, &["-H", VERSION, "-u", &pair, &url(path)]);
            assert_eq!(answer.status, 200, "{path} {answer:?}");
        }
        let path = url(&keys_of(&organizations[2], 0));
        issued(&curl(&demo, &["-X", "POST", "-H", VERSION, "-u", &pair, &path]));
    }
    assert_eq!(call(&demo, "partner", &[], "/api/me").status, 200);
    let answer = call(&demo, "deployment", &[], "/api/me");
    assert_eq!((answer.status, answer.body.as_str()), (401, INVALID));
    assert_eq!(
        answer.headers("www-authenticate"),
        [
            r#"Basic realm="Polytomic", charset="UTF-8""#,
            r#"Bearer realm="Polytomic", error="invalid_token""#
        ]
    );
}
