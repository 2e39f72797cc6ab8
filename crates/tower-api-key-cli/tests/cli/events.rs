//! Events of keys, printed and followed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Program, binary};

fn with_events() -> Program {
    let program = Program::new();
    for id in ["a", "b"] {
        program.run(&["keys", "create", "--account", "acme", "--id", id]).succeeded();
    }
    program.run(&["keys", "revoke", "--leaked", "a"]).succeeded();
    program
}

#[test]
fn events_are_listed_from_a_sequence() {
    let program = with_events();
    let listed = program.run(&["--json", "events", "--after", "1"]).succeeded();
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let kinds: Vec<_> = listed.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["key.created", "key.leaked", "key.revoked"]);
    assert_eq!(listed[1]["data"]["reason"], "leaked");
    let table = program.run(&["events", "--limit", "1"]).succeeded();
    assert!(table.contains("key.created") && table.contains("acme") && table.lines().count() == 2);
}

#[test]
fn events_are_followed_as_lines_of_json() {
    let program = with_events();
    let mut following = Command::new(binary())
        .env("TOWER_API_KEY_STORE", program.store())
        .args(["events", "--follow", "--after", "3"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["type"], "key.revoked");
    program.run(&["keys", "delete", "b"]).succeeded();
    let deleted = next();
    assert_eq!((&deleted["type"], &deleted["data"]["key"]), (&"key.deleted".into(), &"b".into()));
    assert_eq!(deleted["sequence"], 5);
    following.kill().unwrap();
    following.wait().unwrap();
}

/// A log shipper must not end with the first restart of the database.
#[test]
fn a_store_that_fails_for_a_while_ends_no_following() {
    let program = with_events();
    let mut following = Command::new(binary())
        .env("TOWER_API_KEY_STORE", program.store())
        .args(["events", "--follow", "--after", "3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut told = BufReader::new(following.stderr.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["type"], "key.revoked");
    let rename = |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let pool = sqlx::SqlitePool::connect(program.store()).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
            pool.close().await;
        });
    };
    rename("tower_api_key_events", "away");
    let complaint = told.next().unwrap().unwrap();
    assert!(complaint.contains("no such table") && complaint.contains("again"), "{complaint}");
    rename("away", "tower_api_key_events");
    program.run(&["keys", "delete", "b"]).succeeded();
    assert_eq!(next()["type"], "key.deleted");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn an_unknown_sink_is_said() {
    let program = with_events();
    let run = program.run(&["events", "replay", "--sink", "mistyped"]);
    assert_eq!(run.code(), 4);
    assert!(run.everything().contains("no sink has this name"), "{}", run.everything());
    for list in ["dead", "waiting"] {
        let none = program.run(&["--json", "events", list]).succeeded();
        assert_eq!(none.trim_end(), "[]", "{list}");
    }
    let twice = ["events", "replay", "--sink", "x", "--sequence", "1", "--all-after", "1"];
    assert_eq!(program.run(&twice).code(), 2);
}

#[test]
fn events_are_pruned_up_to_a_time() {
    events_are_pruned(&with_events());
}

#[test]
fn events_are_pruned_in_postgres() {
    let Some(server) = crate::postgres::Postgres::start() else { return };
    let program = Program::new().on(server.url());
    program.run(&["keys", "create", "--account", "acme", "--id", "a"]).succeeded();
    events_are_pruned(&program);
}

fn events_are_pruned(program: &Program) {
    let count = || {
        let events = program.run(&["--json", "events"]).json();
        events.as_array().unwrap().len()
    };
    let before = count();
    assert!(before > 0);
    program.run(&["events", "prune", "--before", "1 hour ago"]).succeeded();
    assert_eq!(count(), before, "all events are younger");
    let refused = program.run(&["events", "prune", "--before", "in 1 hour"]);
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("`--before`"), "{}", refused.everything());
    let dry = program.run(&["events", "prune", "--before", "0s ago", "--dry-run"]);
    let expected = format!("events that would be deleted: {before}");
    assert!(dry.everything().contains(&expected), "{}", dry.everything());
    assert_eq!(count(), before);
    let pruned = program.run(&["events", "prune", "--before", "0s ago"]);
    assert!(
        pruned.everything().contains(&format!("events deleted: {before}")),
        "{}",
        pruned.everything()
    );
    assert_eq!(count(), 0);
}
