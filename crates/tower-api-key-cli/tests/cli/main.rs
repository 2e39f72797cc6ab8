//! Tests the program `tower-api-key` as a script uses it, on a SQLite file and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod events;
#[path = "../../../tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
mod forms;
mod front_door;
mod import;
mod incident;
mod options;
mod peppers;
mod policies;
#[allow(dead_code)]
#[path = "../../../tower-api-key-sqlx/tests/databases/postgres.rs"]
mod postgres;
mod program;
mod terminal;
mod usage;
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
    // The vendor has no format like the default form, so its gate refuses the key without a lookup.
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
            "day=5/1 day:sliding_window@key",
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
        ("quotas", json!(["day=5/86400s:sliding_window@key"])),
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
    assert_eq!(actions, ["account_saved", "key_added", "key_updated"]);
    assert_eq!(trail[1]["by"], "ada");
}

#[test]
fn the_trail_is_pruned_up_to_a_time_and_keeps_the_newest_change() {
    trail_is_pruned(&Program::new());
}

#[test]
fn the_trail_is_pruned_in_postgres() {
    let Some(server) = postgres::Postgres::start() else { return };
    trail_is_pruned(&Program::new().on(server.url()));
}

fn trail_is_pruned(program: &Program) {
    program.run(&["keys", "create", "--account", "acme", "--id", "key_1"]).succeeded();
    program.run(&["keys", "edit", "key_1", "--name", "backup"]).succeeded();
    let sequences = || -> Vec<u64> {
        let trail = program.run(&["--json", "trail"]).json();
        trail.as_array().unwrap().iter().map(|it| it["sequence"].as_u64().unwrap()).collect()
    };
    let before = sequences();
    program.run(&["trail", "prune", "--before", "1 hour ago"]).succeeded();
    assert_eq!(sequences(), before, "all changes are younger");
    let refused = program.run(&["trail", "prune", "--before", "in 1 hour"]);
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("`--before`"), "{}", refused.everything());
    assert_eq!(sequences(), before);
    let dry = program.run(&["trail", "prune", "--before", "0s ago", "--dry-run"]);
    let expected = format!("would be deleted from the trail: {}", before.len() - 1);
    assert!(dry.everything().contains(&expected), "{}", dry.everything());
    assert_eq!(sequences(), before);
    program.run(&["trail", "prune", "--before", "0s ago"]).succeeded();
    assert_eq!(sequences(), before[before.len() - 1..], "the newest change stays");
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
    // The store counts them, so that no way around it gives a key a ninth.
    for _ in 3..=8 {
        program.run(&rotate).succeeded();
    }
    let ninth = program.run(&rotate);
    assert_eq!(ninth.code(), 4, "{}", ninth.everything());
    assert!(ninth.everything().contains("8 valid secrets"), "{}", ninth.everything());
    program.run(&["--quiet", "keys", "rotate", "key_1", "--overlap", "0s"]).succeeded();
    program.run(&rotate).succeeded();
}

#[test]
fn earlier_secrets_are_ended_and_the_trail_says_why() {
    let program = Program::new();
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", "key_1"];
    let first = program.run(&create).succeeded();
    let rotate = ["--quiet", "keys", "rotate", "key_1", "--reason", "ticket 1"];
    let second = program.run(&rotate).succeeded();
    let state = |secret: &str| {
        let found = program.ask(&["--json", "whose"], secret.trim_end()).json();
        found["state"].as_str().unwrap().to_owned()
    };
    assert_eq!((state(&first).as_str(), state(&second).as_str()), ("active", "active"));
    let end = ["--json", "keys", "end-earlier-secrets", "key_1", "--reason", "it leaked"];
    let secrets = program.run(&end).json()["secrets"].clone();
    assert!(secrets[0]["expires"].is_null() && secrets[1]["expires"].is_string(), "{secrets}");
    assert_eq!((state(&first).as_str(), state(&second).as_str()), ("expired", "active"));
    assert_eq!(program.run(&["keys", "end-earlier-secrets", "unknown"]).code(), 3);

    for change in [
        &["keys", "edit", "key_1", "--name", "backup", "--reason", "ticket 2"][..],
        &["keys", "revoke", "key_1", "--leaked", "--reason", "on a forum"],
        &["keys", "delete", "key_1", "--reason", "ticket 3"],
        &["accounts", "save", "acme", "--reason", "ticket 4"],
        &["accounts", "delete", "acme", "--reason", "ticket 5"],
    ] {
        program.run(change).succeeded();
    }
    let trail = program.run(&["--json", "trail"]).json();
    let reasons: Vec<_> =
        trail.as_array().unwrap().iter().filter_map(|line| line["reason"].as_str()).collect();
    let all = [
        "ticket 1",
        "it leaked",
        "ticket 2",
        "leaked: on a forum",
        "ticket 3",
        "ticket 4",
        "ticket 5",
    ];
    assert_eq!(reasons, all, "{trail}");
    let of_key = program.run(&["--json", "trail", "--key", "key_1"]).json();
    let actions: Vec<_> =
        of_key.as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    let (first, last) = (["key_added", "key_rotated"], ["key_revoked", "key_deleted"]);
    assert_eq!((&actions[..2], &actions[actions.len() - 2..]), (&first[..], &last[..]));
    assert_eq!(of_key[3]["differences"], serde_json::json!(["name: none -> backup"]));
    let table = program.run(&["trail", "--account", "acme", "--limit", "4"]).succeeded();
    assert!(table.contains("leaked: on a forum") && !table.contains("ticket 1"), "{table}");
    assert_eq!(program.run(&["trail", "--key", "key_1", "--after", "1"]).code(), 2);
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
    program.run(&["migrate"]).succeeded();
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

/// A path may be mistyped, so commands that read, edit or end keys create no database.
#[test]
fn only_what_creates_makes_a_database_and_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    for arguments in [
        &["keys", "list"][..],
        &["keys", "show", "key_1"],
        &["keys", "edit", "key_1", "--name", "x"],
        &["keys", "rotate", "key_1"],
        &["keys", "revoke", "key_1"],
        &["keys", "delete", "key_1"],
        &["accounts", "list"],
        &["accounts", "show", "acme"],
        &["accounts", "delete", "acme"],
        &["trail"],
        &["trail", "prune", "--before", "1 day ago"],
        &["check", "--vendor", "polyteia", "--path", "/api"],
    ] {
        let program = Program::new();
        let run = program.ask(arguments, "a-key-that-nobody-knows");
        assert_eq!(run.code(), 1, "{arguments:?}: {}", run.everything());
        assert!(run.everything().contains("does not exist"), "{arguments:?}: {}", run.everything());
        assert!(!program.path("keys.db").exists(), "{arguments:?}");
    }
    for arguments in [
        &["keys", "create", "--account", "acme"][..],
        &["keys", "import", "-"],
        &["accounts", "save", "acme"],
        &["migrate"],
    ] {
        let program = Program::new();
        program.run(arguments).succeeded();
        let mode = fs::metadata(program.path("keys.db")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{arguments:?}");
    }
}

#[test]
fn a_key_that_serves_no_more_is_not_rotated() {
    let program = Program::new();
    for (id, end) in [
        ("revoked", &["keys", "revoke", "revoked"][..]),
        ("disabled", &["keys", "edit", "disabled", "--disable"]),
        ("expired", &["keys", "edit", "expired", "--expires", "2001-01-01T00:00:00Z"]),
    ] {
        program.run(&["keys", "create", "--account", "acme", "--id", id]).succeeded();
        program.run(end).succeeded();
        let rotated = program.run(&["keys", "rotate", id]);
        assert_eq!(rotated.code(), 4);
        let told = rotated.everything();
        assert!(told.contains(&format!("the key is {id}, so")), "{told}");
        assert!(!told.contains("is issued") && !told.contains("key_"), "no secret: {told}");
    }
}

#[test]
fn a_list_goes_on_past_what_is_broken_and_names_it() {
    let program = Program::new();
    for id in ["a", "b", "c"] {
        program.run(&["keys", "create", "--account", id, "--id", id]).succeeded();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(program.path("keys.db"));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let broken = "UPDATE tower_api_key_keys SET networks = 'x' WHERE id = 'b'; \
                      UPDATE tower_api_key_accounts SET scopes = 'x' WHERE id = 'c'";
        sqlx::raw_sql(broken).execute(&pool).await.unwrap();
        pool.close().await;
    });
    let listed = program.run(&["--json", "keys", "list"]);
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
    let told = listed.everything();
    assert!(told.contains("the key b is broken") && told.contains("the key c is broken"), "{told}");
    let accounts = program.run(&["accounts", "list"]).everything();
    assert!(accounts.contains("the account c is broken"), "{accounts}");
    program.run(&["keys", "revoke", "b"]).succeeded();
    program.run(&["keys", "delete", "b", "c"]).succeeded();
    let left = program.run(&["keys", "list"]).everything();
    assert!(!left.contains("is broken"), "{left}");
}

#[test]
fn several_programs_make_the_tables_at_once() {
    let server = postgres::Postgres::start();
    let on_postgres = server.as_ref().map(|server| Program::new().on(server.url()));
    for program in [Some(Program::new()), on_postgres].into_iter().flatten() {
        std::thread::scope(|scope| {
            let starting: Vec<_> = (0..6)
                .map(|number| {
                    let (program, id) = (&program, format!("key_{number}"));
                    let create = ["keys", "create", "--account", "acme", "--id"];
                    scope.spawn(move || program.run(&[&create[..], &[&*id]].concat()).succeeded())
                })
                .collect();
            for started in starting {
                started.join().unwrap();
            }
        });
        let listed = program.run(&["--json", "keys", "list"]).json();
        assert_eq!(listed.as_array().unwrap().len(), 6);
    }
}

#[test]
fn tables_have_the_prefix_that_is_named() {
    let program = Program::new();
    let prefix = ["--table-prefix", "own_"];
    let create = ["keys", "create", "--account", "acme", "--id", "key_1"];
    program.run(&[&prefix[..], &create].concat()).succeeded();
    assert_eq!(program.run(&["keys", "show", "key_1"]).code(), 3, "others know nothing of it");
    program.run(&[&prefix[..], &["keys", "show", "key_1"]].concat()).succeeded();
    let schema = program.run(&["--table-schema", "x", "keys", "list"]);
    assert!(schema.everything().contains("SQLite has no schemas"), "{}", schema.everything());
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
