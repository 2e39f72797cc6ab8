//! Tests that usage is shown, exported and pruned.

use serde_json::json;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::decision::RequestDecision::{self, Admitted, Refused};
use tower_api_key::key::{AccountId, KeyId};
use tower_api_key::usage::{LastUse, UsageBatch, UsageCell, UsageHour, UsageSink};
use tower_api_key_sqlx::SqlStore;

use crate::program::Program;

/// The first of January 2027.
const JANUARY: u64 = 1_798_761_600;

fn cell(at: Timestamp, key: &str, decision: RequestDecision, requests: u64) -> UsageCell {
    let named = (KeyId::new(key).unwrap(), AccountId::new("acme").unwrap());
    UsageCell::new(UsageHour::of(at), Some(named), "/v1/users/{id}", decision, requests)
}

/// Returns a program on a database with usage of January, and of this hour.
fn with_usage() -> Program {
    let program = Program::new();
    program.run(&["keys", "create", "--account", "acme", "--id", "=key"]).succeeded();
    let january = |hours: u64| Timestamp::from_unix_seconds(JANUARY + hours * 3_600);
    let now = SystemClock.now();
    let cells = [
        cell(january(0), "=key", Admitted, 7),
        cell(january(0), "=key", Refused, 2),
        cell(january(30), "other", Admitted, 20),
        cell(now, "other", Admitted, 1),
    ];
    let uses = [("=key".parse().unwrap(), LastUse::new(now, Some("192.0.2.7".parse().unwrap())))];
    let batch = UsageBatch::new([1; 16], 1, cells, uses);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqlStore::connect(program.store()).await.unwrap();
        store.write(&batch).await.unwrap();
        store.close().await;
    });
    program
}

const OF_JANUARY: [&str; 4] =
    ["--since", "2027-01-01T00:00:00Z", "--until", "2027-02-01T00:00:00Z"];

#[test]
fn usage_is_shown_by_what_is_asked_for() {
    let program = with_usage();
    let usage = |more: &[&str]| program.run(&[&["usage"], &OF_JANUARY[..], more].concat());
    let total = [&["--json", "usage"], &OF_JANUARY[..]].concat();
    assert_eq!(
        program.run(&total).json(),
        json!([{ "start": null, "route": null, "decision": null, "requests": 29 }])
    );
    let table = usage(&["--group-by", "day,decision"]).succeeded();
    let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines,
        [
            &["START", "ROUTE", "DECISION", "REQUESTS"][..],
            &["2027-01-01T00:00:00Z", "admitted", "7"],
            &["2027-01-01T00:00:00Z", "refused", "2"],
            &["2027-01-02T00:00:00Z", "admitted", "20"],
        ]
    );
    assert_eq!(
        usage(&["--key", "=key", "--group-by", "hour,route", "--csv"]).succeeded(),
        "start,route,decision,requests\n2027-01-01T00:00:00Z,/v1/users/{id},,9\n"
    );
    let filtered = ["--account", "acme", "--route", "/v1/users/{id}", "--decision", "refused"];
    assert!(usage(&filtered).succeeded().contains('2'));
    let cut = usage(&["--group-by", "day", "--limit", "1"]);
    assert!(cut.everything().contains("there are more rows"), "{}", cut.everything());
    // This hour is in the last 30 days.
    let now = program.run(&["usage", "--key", "other", "--csv"]).succeeded();
    assert!(now.ends_with(",1\n"), "{now}");
}

#[test]
fn the_busiest_keys_are_no_formulas_of_a_spreadsheet() {
    let program = with_usage();
    let keys = [&["usage", "keys"], &OF_JANUARY[..], &["--csv"]].concat();
    assert_eq!(
        program.run(&keys).succeeded(),
        "key,account,admitted,refused\nother,acme,20,0\n'=key,acme,7,2\n"
    );
    let keys = [&["--json", "usage", "keys", "--limit", "1"], &OF_JANUARY[..]].concat();
    let other =
        json!({ "key": "other", "account": "acme", "requests": 20, "admitted": 20, "refused": 0 });
    assert_eq!(program.run(&keys).json(), json!([other]));
    assert!(program.run(&["usage", "keys", "--account", "acme"]).succeeded().contains("other"));
    let shown = program.run(&["--json", "keys", "show", "=key"]).json();
    assert!(shown.to_string().contains("192.0.2.0/24"), "{shown}");
}

#[test]
fn old_usage_is_pruned_and_wrong_questions_are_refused() {
    let program = with_usage();
    program.run(&["usage", "prune", "--hours", "1 day", "--days", "400 days"]).succeeded();
    for (wrong, code, told) in [
        (&["usage", "--since", "in 1 hour"][..], 4, "--since"),
        (&["usage", "keys", "--since", "in 1 hour"], 4, "--since"),
        (&["usage", "--group-by", "week"], 2, "hour"),
        (&["usage", "--decision", "maybe"], 2, "admitted"),
        (&["usage", "--limit", "0"], 2, "whole number"),
        (&["--json", "usage", "--csv"], 2, "--csv"),
        (&["--json", "usage", "prune"], 2, "--json"),
    ] {
        let run = program.run(wrong);
        assert_eq!(run.code(), code, "{wrong:?} {}", run.everything());
        assert!(run.everything().contains(told), "{wrong:?} {}", run.everything());
    }
    assert_eq!(Program::new().run(&["usage"]).code(), 1);
}
