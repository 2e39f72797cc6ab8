//! Tests that keys of every vendor can be issued, and that a rotation issues a secret of the same form.

use serde_json::json;

use crate::postgres::Postgres;
use crate::program::Program;

/// A vendor, the options that its keys need, and their prefix.
const VENDORS: [(&str, &[&str], &str); 9] = [
    ("personyze", &[], ""),
    ("rest-integrations", &[], "sk_"),
    ("polyteia", &["--environment", "staging"], "pak_"),
    ("persona", &["--environment", "sandbox"], "persona_sandbox_"),
    ("persona", &["--environment", "production"], "persona_production_"),
    ("polytomic", &["--kind", "organization"], "pk_live_"),
    ("polytomic", &["--kind", "partner"], "pk_live_"),
    ("polytomic-on-premises", &["--kind", "deployment"], "pk_live_"),
    ("standard", &["--environment", "test"], "key_test_"),
];

/// Returns a `check` of a request that needs no scope.
fn check(vendor: &str) -> Vec<&str> {
    let mut check = vec!["--quiet", "check", "--vendor", vendor];
    check.extend_from_slice(match vendor {
        "personyze" => &["--basic", "api", "--path", "/rest/users"][..],
        "rest-integrations" => &["--path", "/v1/users"],
        "polyteia" => {
            &["--method", "POST", "--path", "/api", "--header", "content-type: application/json"]
        }
        "persona" => &["--path", "/api/v1/rate-limits"],
        "standard" => &["--path", "/users"],
        _ => &["--path", "/api/me", "--header", "x-polytomic-version: 2024-02-08"],
    });
    if vendor == "polytomic-on-premises" {
        check.extend_from_slice(&["--basic", "anybody"]);
    }
    check
}

#[test]
fn every_vendor_issues_keys_that_serve_and_rotates_them() {
    issue_and_rotate(&Program::new());
}

#[test]
fn every_vendor_issues_keys_that_serve_and_rotates_them_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    issue_and_rotate(&Program::new().on(server.url()));
}

fn issue_and_rotate(program: &Program) {
    program.run(&["accounts", "save", "acme", "--scope", "users.read"]).succeeded();
    for (number, (vendor, more, begins)) in VENDORS.into_iter().enumerate() {
        let id = format!("key_{number}");
        let create =
            ["--quiet", "keys", "create", "--account", "acme", "--id", &id, "--vendor", vendor];
        let first = program.run(&[&create[..], more].concat()).succeeded();
        let second = program.run(&["--quiet", "keys", "rotate", &id]).succeeded();
        assert_ne!(first, second);
        for secret in [&first, &second] {
            assert!(secret.starts_with(begins), "{vendor}");
            assert_eq!(secret.len(), first.len(), "{vendor}");
            let checked = program.ask(&check(vendor), secret);
            assert_eq!(checked.succeeded(), format!("admitted: {id}\n"), "{vendor}");
        }
    }
}

#[test]
fn keys_have_an_environment_with_or_without_a_tag_in_their_text() {
    let program = Program::new();
    for (id, more, environment, begins) in [
        ("a", &["--environment", "live"][..], json!("live"), "key_"),
        ("b", &["--environment", "live", "--prefix", "acme_"], json!("live"), "acme_"),
        (
            "c",
            &["--environment", "live", "--prefix", "acme_{environment}_"],
            json!("live"),
            "acme_live_",
        ),
        ("d", &["--environment", "live", "--prefix", "{environment}"], json!("live"), "live"),
        ("e", &["--prefix", ""], json!(null), ""),
    ] {
        let create = ["--json", "keys", "create", "--account", "acme", "--id", id];
        let created = program.run(&[&create[..], more].concat());
        assert_eq!(created.code(), 0, "{}", created.everything());
        let created = created.json();
        assert_eq!(created["environment"], environment, "{id}");
        let secret = created["secret"].as_str().unwrap();
        assert!(secret.starts_with(begins), "{id}: {secret}");
        let rotated = program.run(&["--json", "keys", "rotate", id]).json();
        assert!(rotated["secret"].as_str().unwrap().starts_with(begins), "{id}");
        assert_eq!((&rotated["environment"], &rotated["form"]), (&environment, &created["form"]));
    }
    // The environment in the key's text cannot be edited.
    assert_eq!(program.run(&["keys", "edit", "c", "--environment", "test"]).code(), 4);
    program.run(&["keys", "edit", "b", "--environment", "test"]).succeeded();
    let rotated = program.run(&["--json", "keys", "rotate", "b"]).json();
    assert_eq!(rotated["environment"], "test");
}

#[test]
fn a_key_that_would_never_serve_is_not_issued() {
    let program = Program::new();
    let create = ["keys", "create", "--account", "acme"];
    for (more, words) in [
        (&["--vendor", "polytomic"][..], &["--kind partner", "--kind organization"][..]),
        (&["--vendor", "polytomic", "--kind", "deployment"], &["--kind partner"]),
        (&["--vendor", "polytomic-on-premises"], &["--kind deployment"]),
        (&["--vendor", "persona"], &["--environment sandbox", "--environment production"]),
        (&["--vendor", "persona", "--environment", "staging"], &["--environment sandbox"]),
        (&["--prefix", "acme_{environment}_"], &["--environment"]),
        (&["--prefix", "acme_{environment}_", "--environment", "a:b"], &["--environment"]),
        (&["--prefix", "{environment}{environment}", "--environment", "live"], &["{environment}"]),
        (&["--prefix", "a b"], &["prefix"]),
    ] {
        let refused = program.run(&[&create[..], more].concat());
        assert_eq!(refused.code(), 4, "{more:?}: {}", refused.everything());
        for word in words {
            assert!(refused.everything().contains(word), "{more:?}: {}", refused.everything());
        }
    }
    assert_eq!(program.run(&["--json", "keys", "list"]).json(), json!([]));
}

#[test]
fn a_key_whose_form_is_not_known_is_rotated_into_a_named_one() {
    let program = Program::new();
    let line = |id: &str, more: &str| {
        let digest = format!("{:064x}", id.len());
        format!(r#"{{"digest":"{digest}","id":"{id}","account":"acme"{more}}}"#) + "\n"
    };
    let form = r#","environment":"sandbox","form":"persona_{environment:sandbox}_{base64url:32}""#;
    let lines = line("old", "") + &line("formed", form);
    let file = program.file("keys.jsonl", &lines);
    program.run(&["keys", "import", &file]).succeeded();
    let formed = program.run(&["--quiet", "keys", "rotate", "formed"]).succeeded();
    assert!(formed.starts_with("persona_sandbox_"), "{formed}");

    let refused = program.run(&["keys", "rotate", "old"]);
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("--vendor"), "{}", refused.everything());
    let rotated = program.run(&["--quiet", "keys", "rotate", "old", "--vendor", "polyteia"]);
    assert!(rotated.succeeded().starts_with("pak_"));
    let again = program.run(&["--quiet", "keys", "rotate", "old"]).succeeded();
    assert!(again.starts_with("pak_"), "it is known from now on");

    let wrong = line("wrong", r#","environment":"live","form":"a_{environment:test}_{hex:40}""#);
    let file = program.file("wrong.jsonl", &wrong);
    assert_eq!(program.run(&["keys", "import", &file]).code(), 4);
}

#[test]
fn a_key_has_an_audience() {
    let program = Program::new();
    program.run(&["accounts", "save", "acme", "--scope", "users.read"]).succeeded();
    let create = [
        "--quiet",
        "keys",
        "create",
        "--account",
        "acme",
        "--id",
        "key_1",
        "--audience",
        "billing",
    ];
    let key = program.run(&create).succeeded();
    assert_eq!(program.run(&["--json", "keys", "show", "key_1"]).json()["audience"], "billing");
    let check = ["--quiet", "check", "--vendor", "rest-integrations", "--path", "/v1/users"];
    let by = |audience: &'static [&str]| program.ask(&[&check[..], audience].concat(), &key).code();
    assert_eq!((by(&[]), by(&["--audience", "billing"]), by(&["--audience", "other"])), (5, 0, 5));
    program.run(&["keys", "edit", "key_1", "--no-audience"]).succeeded();
    assert_eq!((by(&[]), by(&["--audience", "billing"])), (0, 5));
}

#[test]
fn a_request_is_explained_by_the_id_of_a_key_alone() {
    let program = Program::new();
    let create = ["--quiet", "keys", "create", "--account", "org_acme", "--vendor", "persona"];
    let more = ["--environment", "production", "--id", "key_1", "--scope", "inquiry.read"];
    let key = program.run(&[&create[..], &more].concat()).succeeded();
    let path = ["check", "--vendor", "persona", "--path", "/api/v1/inquiries"];
    for (method, code, decides) in [("GET", 0, "admitted"), ("POST", 5, "inquiry.write")] {
        let asked = [&path[..], &["--method", method]].concat();
        let by_id = program.run(&[&asked[..], &["--id", "key_1"]].concat());
        let by_key = program.ask(&asked, key.trim_end());
        assert_eq!((by_id.code(), by_key.code()), (code, code), "{}", by_id.everything());
        assert_eq!(by_id.stdout(), by_key.stdout());
        assert!(by_id.everything().contains(decides), "{}", by_id.everything());
    }
    program.run(&["keys", "revoke", "key_1"]).succeeded();
    assert_eq!(program.run(&[&path[..], &["--id", "key_1"]].concat()).code(), 5);
    let unknown = program.run(&[&path[..], &["--id", "unknown"]].concat());
    assert_eq!(unknown.code(), 3, "{}", unknown.everything());
}
