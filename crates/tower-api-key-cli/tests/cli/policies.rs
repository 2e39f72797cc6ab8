//! Tests that policies are set, shown, obeyed and checked.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqlitePool};
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::SqlStore;

use crate::postgres::Postgres;
use crate::program::{Program, Run};

/// Runs the program, and returns the JSON that it prints.
fn json_of(program: &Program, arguments: &[&str]) -> Value {
    let run = program.run(&[&["--json"], arguments].concat());
    assert_eq!(run.code(), 0, "{}", run.everything());
    run.json()
}

fn create(program: &Program, id: &str, more: &[&str]) -> Run {
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", id];
    program.run(&[&create[..], more].concat())
}

#[track_caller]
fn refused(run: &Run, told: &str) {
    assert_eq!(run.code(), 4, "{}", run.everything());
    assert!(run.everything().contains(told), "{}", run.everything());
}

#[test]
fn a_policy_is_set_shown_replaced_and_deleted() {
    life_of_a_policy(&Program::new());
}

#[test]
fn a_policy_is_set_shown_replaced_and_deleted_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    life_of_a_policy(&Program::new().on(server.url()));
}

fn life_of_a_policy(program: &Program) {
    let set = ["policies", "set", "kind:personal"];
    let first = ["--longest-life", "90d", "--scopes", "read,write", "--most-keys", "10"];
    let made = json_of(program, &[&["--by", "ada"], &set[..], &first].concat());
    let rules = json!({
        "require_expiry": true,
        "longest_life": "90d",
        "switch_off_unused": null,
        "most_keys": 10,
        "scopes": ["read", "write"],
        "remind_of_rotation": null,
    });
    let whole = json!({ "subject": "kind:personal", "before": null, "after": rules });
    assert_eq!(made, whole);

    let second = ["--require-expiry", "--switch-off-unused", "60d", "--remind-of-rotation", "36h"];
    let replaced = program.run(&[&set[..], &second].concat());
    let table = replaced.succeeded();
    let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines,
        [
            &["RULE", "BEFORE", "AFTER"][..],
            &["require_expiry", "true", "true"],
            &["longest_life", "90", "days"],
            &["switch_off_unused", "60", "days"],
            &["most_keys", "10"],
            &["scopes", "read,", "write"],
            &["remind_of_rotation", "36", "hours"],
        ]
    );
    // People read the trail in words, and machines in seconds.
    let trail = program.run(&["trail"]).succeeded();
    assert!(trail.contains("90 days") && !trail.contains("7776000"), "{trail}");
    let trail = json_of(program, &["trail"]).to_string();
    assert!(trail.contains("longest_life: none -> 7776000 s"), "{trail}");
    program.run(&["policies", "set", "all", "--no-scopes", "--quiet"]).succeeded();
    let listed = json_of(program, &["policies", "list"]);
    let subjects: Vec<_> = listed.as_array().unwrap().iter().map(|it| &it["subject"]).collect();
    assert_eq!(subjects, ["all", "kind:personal"]);
    assert_eq!(listed[0]["scopes"], json!([]));
    let shown = program.run(&["policies", "show", "all"]).succeeded();
    assert!(shown.lines().any(|line| line.contains("scopes") && line.contains("none")), "{shown}");
    assert_eq!(
        json_of(program, &["policies", "show", "kind:personal"])["switch_off_unused"],
        "60d"
    );

    let gone = program.run(&["policies", "delete", "kind:personal"]);
    assert!(gone.everything().contains("kind:personal is deleted"), "{}", gone.everything());
    for again in ["show", "delete"] {
        let again = program.run(&["policies", again, "kind:personal"]);
        assert_eq!(again.code(), 3, "{}", again.everything());
        assert!(again.everything().contains("policies list"), "{}", again.everything());
    }
    let trail = json_of(program, &["trail"]);
    let told = |line: &Value| format!("{} {}", line["action"], line["by"]).replace('"', "");
    let trail: Vec<_> = trail.as_array().unwrap().iter().map(told).collect();
    assert_eq!((trail[0].as_str(), trail.len()), ("policy_saved ada", 4));
    assert!(trail[3].starts_with("policy_deleted "), "{trail:?}");
}

#[test]
fn wrong_policies_are_refused_and_change_nothing() {
    let program = Program::new();
    program.run(&["policies", "set", "all", "--most-keys", "1"]).succeeded();
    for (wrong, code, told) in [
        (&["set", "all"][..], 4, "needs a rule"),
        (&["set", "all", "--switch-off-unused", "23h"], 4, "switch_off_unused"),
        (&["set", "all", "--longest-life", "soon"], 2, "duration"),
        (&["set", "all", "--longest-life", "1s 500ms"], 4, "longest_life"),
        (&["set", "all", "--most-keys", "many"], 2, "--most-keys"),
        (&["set", "all", "--scopes", "read,two words"], 4, "scope"),
        (&["set", "all", "--scopes", "read", "--no-scopes"], 2, "--no-scopes"),
        (&["set", "everyone", "--require-expiry"], 2, "account:ID"),
        (&["set", "account:", "--require-expiry"], 2, "account:ID"),
        (&["set", "--require-expiry"], 2, "SUBJECT"),
        (&["check", "--require-expiry"], 2, "SUBJECT"),
        (&["check", "--limit", "0"], 2, "--limit"),
        (&["check", "--csv", "--json"], 2, "--csv"),
        (&["list", "--by", "ada"], 2, "--by"),
        (&["check", "--by", "ada"], 2, "--by"),
        (&["delete", "all", "--json"], 2, "--json"),
        (&["list", "--quiet"], 2, "--quiet"),
    ] {
        let run = program.run(&[&["policies"], wrong].concat());
        assert_eq!(run.code(), code, "{wrong:?} {}", run.everything());
        assert!(run.everything().contains(told), "{wrong:?} {}", run.everything());
        // An id in a wrong place may be a key.
        assert!(!run.everything().contains("everyone"), "{}", run.everything());
    }
    assert_eq!(json_of(&program, &["policies", "show", "all"])["most_keys"], 1);
    assert_eq!(Program::new().run(&["policies", "list"]).code(), 1, "it creates no file");
}

#[test]
fn a_policy_that_was_set_refuses_keys_with_its_remedy() {
    let program = Program::new();
    create(&program, "old", &[]).succeeded();
    let rules = ["--longest-life", "90d", "--scopes", "read", "--most-keys", "2"];
    program.run(&[&["policies", "set", "all"], &rules[..]].concat()).succeeded();

    refused(&create(&program, "new", &["--scope", "read"]), "requires an expiry: set one");
    let late = ["--scope", "read", "--expires", "in 91 days"];
    refused(&create(&program, "new", &late), "lets a secret live 90 days: set an expiry until");
    let fine = ["--scope", "read", "--expires", "in 90 days"];
    refused(&create(&program, "new", &fine[2..]), "list the scopes of the key");
    let write = ["--scope", "write", "--expires", "in 90 days"];
    refused(&create(&program, "new", &write), "the scope `write`: leave it out");
    create(&program, "new", &fine).succeeded();
    refused(&create(&program, "third", &fine), "allows an account 2 keys: revoke one first");

    let edit = |more: &[&str]| program.run(&[&["keys", "edit", "new"], more].concat());
    refused(&edit(&["--never-expires"]), "requires an expiry");
    refused(&edit(&["--inherit-scopes"]), "list the scopes of the key");
    edit(&["--name", "backup", "--expires", "in 5 days"]).succeeded();
    program.run(&["keys", "edit", "old", "--name", "still mine"]).succeeded();
    assert_eq!(json_of(&program, &["keys", "show", "new"])["scopes"], json!(["read"]));
}

#[test]
fn an_import_names_the_line_that_breaks_a_policy() {
    let program = Program::new();
    create(&program, "known", &[]).succeeded();
    program.run(&["policies", "set", "all", "--require-expiry", "--most-keys", "3"]).succeeded();
    let line = |number: u8, id: &str, expires: Option<&str>| {
        let digest = format!("{number:064x}");
        json!({ "digest": digest, "id": id, "account": "acme", "expires": expires }).to_string()
    };
    let file = |lines: &[String]| program.file("keys.jsonl", &lines.join("\n\n"));
    let soon = Some("in 90 days");
    let import = |lines: &[String], more: &[&str]| {
        program.run(&[&["keys", "import", &file(lines)], more].concat())
    };
    // The store has the first one, which is left as it is.
    let wrong = [line(1, "known", None), line(2, "a", soon), line(3, "b", None)];
    for more in [&[][..], &["--atomic"]] {
        let run = import(&wrong, more);
        refused(&run, "line 5: the policy for all requires an expiry: set one");
        refused(&run, "no key is imported");
    }
    let many = [line(2, "a", soon), line(3, "b", soon), line(4, "c", soon)];
    refused(&import(&many, &[]), "allows an account 3 keys: revoke one first");
    assert_eq!(json_of(&program, &["keys", "list"]).as_array().unwrap().len(), 1);
    import(&many[..2], &[]).succeeded();
}

#[test]
fn a_check_lists_what_breaks_a_rule_and_what_a_sweep_would_do() {
    let program = Program::new();
    create(&program, "=old", &[]).succeeded();
    create(&program, "p", &["--kind", "personal", "--scope", "admin"]).succeeded();
    create(&program, "off", &["--disable"]).succeeded();
    create(&program, "gone", &[]).succeeded();
    program.run(&["keys", "revoke", "gone"]).succeeded();
    create(&program, "fine", &["--scope", "read", "--expires", "in 20 days"]).succeeded();
    let before = json_of(&program, &["keys", "list"]);

    // A policy can be tried before it is set.
    let tried = ["policies", "check", "all", "--longest-life", "90d", "--scopes", "read"];
    let found = json_of(&program, &[&tried[..], &["--most-keys", "3"]].concat());
    let expires = |row: &Value| row["sweep"][0].as_str().map(|text| text.starts_with("expire at "));
    let (inherits, endless) = ("inherits scopes (all)", "no expiry (all)");
    let rows: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["key"].clone(), row["breaks"].clone(), expires(row)))
        .collect();
    assert_eq!(
        rows,
        [
            (json!("=old"), json!([endless, inherits]), Some(true)),
            (json!("off"), json!([endless, inherits]), None),
            (json!("p"), json!([endless, "scope admin (all)"]), Some(true)),
            (json!(null), json!(["4 keys of at most 3 (all)"]), None),
        ]
    );
    assert_eq!(json_of(&program, &["policies", "list"]), json!([]), "nothing was set");
    assert_eq!(json_of(&program, &["keys", "list"]), before);

    program.run(&["policies", "set", "all", "--require-expiry"]).succeeded();
    let said = program.run(&["policies", "check", "--limit", "1"]);
    assert!(said.everything().contains("keys checked: 5; keys that break a rule: 3"));
    assert!(said.everything().contains("a sweep would switch off 0, expire 2"));
    assert!(said.everything().contains("there are more: raise `--limit`"));
    let csv = program.run(&["policies", "check", "--csv"]).succeeded();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "key,account,kind,breaks,sweep"));
    assert!(lines[1].starts_with("'=old,acme,,no expiry (all),expire at "), "{csv}");
    assert_eq!(lines[2], "off,acme,,no expiry (all),");
    let one = json_of(&program, &["policies", "check", "kind:personal"]);
    assert_eq!((one.as_array().unwrap().len(), &one[0]["key"]), (1, &json!("p")));
    assert_eq!(json_of(&program, &["policies", "check", "account:other"]), json!([]));
}

#[test]
fn a_rotation_says_when_the_old_secret_ends_sooner_than_asked_for() {
    let program = Program::new();
    create(&program, "k", &["--expires", "in 20 days"]).succeeded();
    program.run(&["policies", "set", "all", "--longest-life", "20d"]).succeeded();
    let told = "a policy sets the longest life of a secret";
    let rotate = |overlap| program.run(&["keys", "rotate", "k", "--overlap", overlap]);
    let within = rotate("1 day");
    assert!(within.code() == 0 && !within.everything().contains(told), "{}", within.everything());
    let beyond = rotate("400 days");
    assert!(beyond.everything().contains(told), "{}", beyond.everything());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqlStore::connect(program.store()).await.unwrap();
        let key = store.get("k").await.unwrap().unwrap();
        let ends = key.secrets[1].expires.unwrap();
        assert!(ends < SystemClock.now().plus(std::time::Duration::from_secs(21 * 86_400)));
        store.close().await;
    });
}

/// The nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// Runs statements on the database of a program.
fn change(program: &Program, statements: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = SqlitePool::connect(program.store()).await.unwrap();
        for sql in statements {
            sqlx::query(AssertSqlSafe(sql.clone())).execute(&database).await.unwrap();
        }
        database.close().await;
    });
}

/// Makes all keys 100 days older, and notes these uses, in days ago.
fn age(program: &Program, uses: &[(&str, i64)]) {
    let now = i64::try_from(SystemClock.now().unix_nanoseconds()).unwrap();
    let older = ["keys", "secrets"]
        .map(|table| format!("UPDATE tower_api_key_{table} SET created = created - {}", 100 * DAY));
    let used = uses.iter().map(|(key, days)| {
        let used = now - days * DAY;
        format!("UPDATE tower_api_key_secrets SET last_used = {used} WHERE key_id = '{key}'")
    });
    change(program, &older.into_iter().chain(used).collect::<Vec<_>>());
}

/// Lets the last sweep be over a minute ago.
fn forget_the_sweep(program: &Program) {
    change(program, &["DELETE FROM tower_api_key_event_leases".to_owned()]);
}

#[test]
fn a_sweep_does_what_a_check_has_shown() {
    let program = Program::new();
    for id in ["unused", "long-ago", "recent", "changed", "off", "later"] {
        create(&program, id, &[]).succeeded();
    }
    let other = ["--quiet", "keys", "create", "--account", "other", "--id", "suspended"];
    program.run(&other).succeeded();
    age(&program, &[("long-ago", 70), ("recent", 1)]);
    program.run(&["keys", "edit", "changed", "--name", "still needed"]).succeeded();
    program.run(&["keys", "edit", "off", "--disable"]).succeeded();
    program.run(&["keys", "edit", "later", "--not-before", "in 1 day"]).succeeded();
    program.run(&["accounts", "save", "other", "--disable"]).succeeded();
    let rules =
        ["--switch-off-unused", "60d", "--longest-life", "90d", "--remind-of-rotation", "90d"];
    program.run(&[&["policies", "set", "all"], &rules[..]].concat()).succeeded();

    let shown = json_of(&program, &["policies", "check"]);
    let due: Vec<(String, Vec<&str>)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let actions = row["sweep"].as_array().unwrap().iter();
            let begin = |action: &'_ Value| match action.as_str().unwrap() {
                action if action.starts_with("switch off: unused since ") => "off",
                action if action.starts_with("expire at ") => "expire",
                action if action.starts_with("remind of rotation: ") => "remind",
                other => panic!("{other}"),
            };
            (row["key"].as_str().unwrap().to_owned(), actions.map(begin).collect())
        })
        .collect();
    let expected = [
        ("changed", vec!["expire", "remind"]),
        ("later", vec!["expire", "remind"]),
        ("long-ago", vec!["off"]),
        ("off", vec![]),
        ("recent", vec!["expire", "remind"]),
        ("suspended", vec![]),
        ("unused", vec!["off"]),
    ];
    assert_eq!(due, expected.map(|(key, actions)| (key.to_owned(), actions)));

    let since = ["policies", "sweep", "--assume-uses-recorded-since", "100 days ago"];
    let done = ["swept", "switched_off", "expiries_set", "reminders", "uses_unknown"];
    let before = json_of(&program, &["trail"]);
    for _ in 0..2 {
        let shown = json_of(&program, &[&since[..], &["--dry-run"]].concat());
        assert_eq!(
            done.map(|name| &shown[name]),
            [&json!(false), &json!(2), &json!(3), &json!(3), &json!(false)]
        );
    }
    let said = program.run(&[&since[..], &["--dry-run"]].concat());
    let text = "a sweep would switch off 2, expire 3, and remind the owners of 3";
    assert!(said.everything().contains(text), "{}", said.everything());
    assert!(!said.everything().contains("nothing was done"), "{}", said.everything());
    assert_eq!(json_of(&program, &["trail"]), before);
    let swept = json_of(&program, &since);
    assert_eq!(
        done.map(|name| &swept[name]),
        [&json!(true), &json!(2), &json!(3), &json!(3), &json!(false)]
    );
    for (id, state) in [("unused", "disabled"), ("long-ago", "disabled"), ("recent", "active")] {
        assert_eq!(json_of(&program, &["keys", "show", id])["state"], state, "{id}");
    }
    let trail = json_of(&program, &["trail"]);
    let by_policy = trail.as_array().unwrap().iter().filter(|line| line["by"] == "policy");
    let reasons: Vec<_> = by_policy.map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 5);
    assert!(reasons.iter().all(|reason| reason.ends_with("; policy all")), "{reasons:?}");

    let again = program.run(&["--json", "policies", "sweep"]);
    assert!(again.everything().contains("within the last minute"), "{}", again.everything());
    forget_the_sweep(&program);
    let again = json_of(&program, &since);
    assert_eq!(
        done[..4].iter().map(|name| again[name].clone()).collect::<Vec<_>>(),
        [json!(true), json!(0), json!(0), json!(0)]
    );
}

#[test]
fn a_sweep_switches_nothing_off_without_recorded_uses() {
    let program = Program::new();
    create(&program, "k", &[]).succeeded();
    age(&program, &[]);
    program.run(&["policies", "set", "all", "--switch-off-unused", "60d"]).succeeded();
    let check = program.run(&["policies", "check"]);
    assert!(
        check.everything().contains("this check sees no recorded use of these keys"),
        "{}",
        check.everything()
    );
    let sweep = program.run(&["--quiet", "policies", "sweep"]);
    assert_eq!(sweep.stdout(), "");
    assert!(sweep.everything().contains("unused keys stay on"), "{}", sweep.everything());
    assert_eq!(json_of(&program, &["keys", "show", "k"])["state"], "active");
    age(&program, &[("k", 70)]);
    create(&program, "other", &[]).succeeded();
    age(&program, &[("other", 0)]);
    forget_the_sweep(&program);
    let since = |since| ["policies", "sweep", "--assume-uses-recorded-since", since];
    // That is less than the time of the rule.
    assert_eq!(json_of(&program, &since("40 days ago"))["uses_unknown"], json!(true));
    forget_the_sweep(&program);
    let swept = json_of(&program, &since("61 days ago"));
    assert_eq!((&swept["switched_off"], &swept["uses_unknown"]), (&json!(1), &json!(false)));
    assert_eq!(json_of(&program, &["keys", "show", "k"])["state"], "disabled");
    assert_eq!(json_of(&program, &["keys", "show", "other"])["state"], "active");
}

#[test]
fn a_policy_that_this_version_cannot_read_is_deleted_and_set_again() {
    let program = Program::new();
    program.run(&["policies", "set", "account:acme", "--most-keys", "1"]).succeeded();
    let newer = r#"UPDATE tower_api_key_policies SET rules = '{"weekdays":["mon"]}'"#;
    change(&program, &[newer.to_owned()]);
    change(&program, &["INSERT INTO tower_api_key_policies VALUES ('plan:gold', '{}')".to_owned()]);
    program.run(&["policies", "set", "all", "--most-keys", "9"]).succeeded();
    for (asked, code) in [
        (&["list"][..], 0),
        (&["show", "account:acme"], 1),
        (&["check"], 1),
        (&["set", "account:acme", "--most-keys", "1"], 1),
    ] {
        let run = program.run(&[&["policies"], asked].concat());
        assert_eq!(run.code(), code, "{}", run.everything());
        for part in ["update the program", "delete the policy and set it again"] {
            assert!(run.everything().contains(part), "{}", run.everything());
        }
    }
    let listed = program.run(&["policies", "list"]).everything();
    for subject in ["all", "account:acme", "plan:gold"] {
        assert!(listed.contains(subject), "{listed}");
    }
    let create = ["keys", "create", "--account", "other"];
    assert!(program.run(&create).everything().contains("plan:gold"));
    program.run(&["policies", "delete", "plan:gold"]).succeeded();
    program.run(&create).succeeded();
    assert_eq!(program.run(&["policies", "delete", "plan:gold"]).code(), 3);
    program.run(&["policies", "delete", "account:acme"]).succeeded();
    program.run(&["policies", "set", "account:acme", "--most-keys", "2"]).succeeded();
    assert_eq!(json_of(&program, &["policies", "show", "account:acme"])["most_keys"], 2);
}

/// A sweep takes no change by `policy` for one by somebody, and would switch the key off too soon.
#[test]
fn nobody_has_the_name_of_a_task_of_the_store() {
    let program = Program::new();
    create(&program, "k", &[]).succeeded();
    let import = json!({ "digest": format!("{:064x}", 1), "id": "a", "account": "acme" });
    let file = program.file("keys.jsonl", &import.to_string());
    for by in ["policy", "rehasher"] {
        for command in [
            &["keys", "create", "--account", "acme"][..],
            &["keys", "edit", "k", "--name", "x"],
            &["keys", "revoke", "k"],
            &["keys", "import", &file],
            &["policies", "set", "all", "--require-expiry"],
        ] {
            let run = program.run(&[command, &["--by", by]].concat());
            refused(&run, &format!("the author of a change cannot be `{by}`"));
            assert_eq!(run.code(), 4, "{}", run.everything());
        }
    }
    assert_eq!(json_of(&program, &["keys", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(json_of(&program, &["keys", "show", "k"])["state"], "active");
}
