//! The program `tower-api-key`, as a script uses it, on a SQLite file and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../databases/folder.rs"]
mod folder;
mod import;
mod options;
#[allow(dead_code)]
#[path = "../databases/postgres.rs"]
mod postgres;
mod program;
mod terminal;
mod whose;

use std::fs;

use program::Program;
use serde_json::json;

#[test]
fn a_key_is_issued_checked_and_revoked() {
    life_of_a_key(&Program::new());
}

#[test]
fn a_key_is_issued_checked_and_revoked_in_postgres() {
    let Some(server) = postgres::Postgres::start() else { return };
    life_of_a_key(&Program::new().on(server.url()));
}

fn life_of_a_key(program: &Program) {
    let secret = program.run(&["--quiet", "keys", "create", "--account", "acme", "--id", "key_1"]);
    let secret = secret.succeeded();
    let key = secret.trim_end();
    assert!(key.starts_with("key_") && key.len() == 39 && secret.lines().count() == 1, "{secret}");

    let check =
        ["--json", "check", "--vendor", "personyze", "--basic", "api", "--path", "/rest/users"];
    // The generic form is not one of this vendor's, so its gate refuses it unseen.
    let refused = program.ask(&check, key);
    assert_eq!(refused.code(), 5);
    assert_eq!(refused.json()["denial"], "key_malformed");

    let vendor = ["--vendor", "polyteia"];
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", "key_2"];
    let key = program.run(&create).succeeded();
    let key = key.trim_end();
    let header =
        ["--method", "POST", "--path", "/api", "--header", "content-type: application/json"];
    let check = [&["--json", "check"][..], &vendor, &header].concat();
    let passes = program.ask(&check, key);
    assert_eq!((passes.code(), &passes.json()["passes"]), (0, &json!(true)));
    let plain = program.ask(&[&check[..], &["--plain-http"]].concat(), key);
    assert_eq!((plain.code(), &plain.json()["denial"]), (5, &json!("insecure_transport")));

    program.run(&["keys", "revoke", "key_2"]).succeeded();
    let refused = program.ask(&check, key);
    assert_eq!((refused.code(), &refused.json()["denial"]), (5, &json!("key_revoked")));
    assert!(!refused.everything().contains(key), "the key is not repeated");
}

#[test]
fn accounts_are_put_on_plans_and_taken_off() {
    let program = Program::new();
    for (settings, plan) in [
        (&["--scope", "read", "--plan", "gold"][..], json!("gold")),
        (&["--disable"], json!("gold")),
        (&["--plan", "platinum"], json!("platinum")),
        (&["--no-plan"], json!(null)),
    ] {
        program.run(&[&["accounts", "save", "acme"], settings].concat()).succeeded();
        let shown = program.run(&["--json", "accounts", "show", "acme"]).json();
        assert_eq!(shown[0]["plan"], plan, "{settings:?}");
    }
    let shown = program.run(&["--json", "accounts", "show", "acme"]).json();
    assert_eq!((&shown[0]["scopes"], &shown[0]["disabled"]), (&json!(["read"]), &json!(true)));
    let refused = program.run(&["accounts", "save", "acme", "--plan", "two words"]);
    assert_ne!(refused.code(), 0);
}

#[test]
fn what_is_set_is_shown() {
    let program = Program::new();
    program
        .run(&["accounts", "save", "acme", "--scope", "read", "--quota", "minute=100/60s"])
        .succeeded();
    program
        .run(&[
            "--by",
            "ada",
            "--json",
            "keys",
            "create",
            "--account",
            "acme",
            "--id",
            "key_1",
            "--name",
            "backup",
            "--owner",
            "grace",
            "--kind",
            "partner",
            "--scope",
            "write",
            "--network",
            "10.0.0.0/8",
            "--quota",
            "day=5/1 day:sliding@key",
            "--expires",
            "2099-01-31T12:00:00Z",
            "--metadata",
            "team=blue",
        ])
        .succeeded();
    let shown = program.run(&["--json", "keys", "show", "key_1"]).json();
    for (field, value) in [
        ("account", json!("acme")),
        ("name", json!("backup")),
        ("owner", json!("grace")),
        ("kind", json!("partner")),
        ("state", json!("active")),
        ("scopes", json!(["write"])),
        ("networks", json!(["10.0.0.0/8"])),
        ("quotas", json!(["day=5/86400s:sliding@key"])),
        ("expires", json!("2099-01-31T12:00:00Z")),
        ("metadata", json!({ "team": "blue" })),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    program
        .run(&["keys", "edit", "key_1", "--inherit-scopes", "--any-network", "--disable"])
        .succeeded();
    let shown = program.run(&["--json", "keys", "show", "key_1"]).json();
    assert_eq!((&shown["scopes"], &shown["networks"]), (&json!(null), &json!(null)));
    assert_eq!(shown["state"], "disabled");

    let listed =
        program.run(&["--json", "keys", "list", "--owner", "grace", "--state", "disabled"]);
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
    let listed = program.run(&["keys", "list", "--state", "active"]).succeeded();
    assert!(!listed.contains("key_1"), "{listed}");

    let accounts = program.run(&["--json", "accounts", "list"]).json();
    assert_eq!(accounts[0]["quotas"], json!(["minute=100/60s"]));
    let trail = program.run(&["--json", "trail"]).json();
    let actions: Vec<_> = trail.as_array().unwrap().iter().map(|it| it["action"].clone()).collect();
    assert_eq!(actions, ["account_put", "key_added", "key_edited"]);
    assert_eq!(trail[1]["by"], "ada");
}

#[test]
fn a_rotated_key_has_two_secrets_for_a_while() {
    let program = Program::new();
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", "key_1"];
    let first = program.run(&create).succeeded();
    let rotate = ["--quiet", "keys", "rotate", "key_1", "--overlap", "2 hours"];
    let second = program.run(&rotate).succeeded();
    assert_ne!(first, second);
    let secrets = program.run(&["--json", "keys", "show", "key_1"]).json()["secrets"].clone();
    let expiries: Vec<bool> =
        secrets.as_array().unwrap().iter().map(|secret| secret["expires"].is_null()).collect();
    assert_eq!(expiries, [true, false], "the newest first");
}

#[test]
fn force_leaves_an_owner_one_key() {
    let program = Program::new();
    for (id, more) in [("key_1", &[][..]), ("key_2", &[]), ("key_3", &["--force"])] {
        let create = ["keys", "create", "--account", "acme", "--owner", "ada", "--id", id];
        program.run(&[&create[..], more].concat()).succeeded();
    }
    let list = ["--json", "keys", "list", "--state", "active"];
    let left = program.run(&list).json();
    assert_eq!((left[0]["id"].clone(), left.as_array().unwrap().len()), (json!("key_3"), 1));
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let program = Program::new();
    for (arguments, code) in [
        (&["keys", "show", "nobody"][..], 3),
        (&["keys", "revoke", "nobody"], 3),
        (&["accounts", "delete", "nobody"], 3),
        (&["keys", "create", "--account", "two words"], 4),
        (&["keys", "create", "--account", "acme", "--prefix", "no space"], 4),
        (&["keys", "create"], 2),
        (&["keys", "create", "--account", "acme", "--expires", "soon"], 2),
        (&["--store", "mysql://x", "migrate"], 1),
        (&["--store", "sqlite:/nowhere/keys.db", "migrate"], 1),
        (&["migrate"], 0),
    ] {
        assert_eq!(program.run(arguments).code(), code, "{arguments:?}");
    }
    let create = ["keys", "create", "--account", "acme", "--id", "key_1"];
    program.run(&create).succeeded();
    assert_eq!(program.run(&create).code(), 4, "there is such a key already");
}

#[test]
fn digests_are_imported_once() {
    let program = Program::new();
    let line = |number: u8| json!({ "digest": format!("{number:064x}"), "id": format!("key_{number}"), "account": "acme" });
    let lines = (0..25).map(line).map(|line| line.to_string() + "\n").collect::<String>();
    let file = program.file("keys.jsonl", &lines);
    let first = program.run(&["keys", "import", &file]);
    assert!(first.everything().contains("25 keys added"), "{}", first.everything());
    let again = program.run(&["keys", "import", &file]);
    assert!(again.everything().contains("0 keys added"), "{}", again.everything());
    fs::write(&file, lines + "{}\n").unwrap();
    let broken = program.run(&["keys", "import", &file]);
    assert_eq!(broken.code(), 4);
    assert!(broken.everything().contains("line 26"), "{}", broken.everything());
}
