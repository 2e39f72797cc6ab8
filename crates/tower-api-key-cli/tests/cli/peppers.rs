//! Tests `peppers`, and the commands that issue and look up keys under a pepper of a keyring.

use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::program::{Program, Run};

/// The bytes of peppers, which no output may show.
const CANARIES: [&str; 3] = ["canary-pepper-number-1", "canary-pepper-number-2", "canary-of-none"];

fn issued(program: &Program, id: &str, more: &[&str]) -> String {
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", id];
    program.run(&[&create[..], more].concat()).succeeded().trim_end().to_owned()
}

/// Writes the file of a gate whose keyring has a current and former peppers.
fn gate(program: &Program, former: &str) -> String {
    gate_with(program, &format!("former = [{former}]"))
}

/// Writes the file of a gate whose keyring has a current pepper and others.
fn gate_with(program: &Program, others: &str) -> String {
    let file = format!(
        r#"
[peppers]
current = {{ name = "2", secret = {{ file = "pepper-2" }} }}
{others}

[store]
url = "{}"

[profile]
base = "standard"
formats = [{{ segments = [{{ characters = {{ alphabet = "token", at_least = 16, at_most = 99 }} }}] }}]
"#,
        program.store()
    );
    program.file("gate.toml", &file)
}

fn shows_no_pepper(run: Run) -> Run {
    let printed = run.everything();
    assert!(CANARIES.iter().all(|canary| !printed.contains(canary)), "{printed}");
    run
}

fn are_counted(program: &Program) {
    let peppers =
        [1, 2].map(|it| program.file(&format!("pepper-{it}"), &format!("{}\n", CANARIES[it - 1])));
    let [one, two] = &peppers;
    let old = issued(program, "old", &["--pepper-file", one, "--pepper-name", "1"]);
    issued(
        program,
        "ends",
        &["--pepper-file", one, "--pepper-name", "1", "--expires", "2099-01-31T00:00:00Z"],
    );
    let new = issued(program, "new", &["--pepper-file", two, "--pepper-name", "2"]);
    let plain = issued(program, "plain", &[]);
    let file = gate(
        program,
        r#"{ name = "1", secret = { file = "pepper-1" } }, { name = "none", without_pepper = true }"#,
    );
    let count = |arguments: &[&str]| {
        let listed = shows_no_pepper(program.run(&[&["--json", "peppers"], arguments].concat()));
        let listed = listed.json();
        let fields = ["pepper", "place", "secrets", "endless", "can_go"];
        let row = |row: &Value| fields.map(|field| row[field].clone());
        listed.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let when = |count: u8| format!("when the {count} without an end is used or rotated");
    assert_eq!(
        count(&[]),
        [
            [json!(null), json!(null), json!(1), json!(1), json!(when(1))],
            [json!("1"), json!(null), json!(2), json!(1), json!(when(1))],
            [json!("2"), json!(null), json!(1), json!(1), json!(when(1))],
        ]
    );
    let places = |rows: Vec<[Value; 5]>| rows.into_iter().map(|[_, place, ..]| place);
    let listed: Vec<_> = places(count(&["--config", &file])).collect();
    assert_eq!(listed, ["still found", "still found", "new keys", "still found"]);

    // Nothing says by which pepper of the file the secret without a name is found.
    let none = count(&["--config", &file]).pop().unwrap();
    assert_eq!(none[2..], [json!(0), json!(0), json!("unless secrets without a name need it: 1")]);

    // The gate of the file finds all of them.
    for key in [&old, &new, &plain] {
        let check = ["--json", "check", "--config", &file, "--path", "/"];
        let passes = shows_no_pepper(program.ask(&check, key));
        assert_eq!(passes.json()["passes"], true, "{}", passes.everything());
    }
    let shown = program.run(&["--json", "keys", "show", "old"]).json();
    assert_eq!(shown["secrets"][0]["pepper"], "1");

    // A rotation takes the newer pepper. Then the last secret of the older one has an end.
    let rotate = ["keys", "rotate", "old", "--overlap", "0s", "--pepper-file", two];
    shows_no_pepper(program.run(&[&rotate[..], &["--pepper-name", "2"]].concat())).succeeded();
    assert_eq!(count(&[])[1][4], json!("2099-01-31T00:00:00Z"));
    assert_eq!(count(&["--config", &file])[2][2..], [json!(2), json!(2), json!("stays")]);

    let table = program.run(&["peppers", "--config", &file]).succeeded();
    assert!(table.contains("PEPPER") && table.contains("still found"), "{table}");
    let missing = gate(program, "");
    let warned = shows_no_pepper(program.run(&["peppers", "--config", &missing]));
    assert!(warned.everything().contains("the file does not name the pepper 1"));
    program.run(&["keys", "revoke", "ends"]).succeeded();
    let names: Vec<_> = count(&[]).into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names, [json!(null), json!("2")], "nothing needs the older one");
}

#[test]
fn secrets_are_counted_by_pepper() {
    are_counted(&Program::new());
}

#[test]
fn secrets_are_counted_by_pepper_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    are_counted(&Program::new().on(server.url()));
}

/// No secret needs it yet, and other nodes may make the first ones by it at any moment.
#[test]
fn the_next_pepper_stays() {
    let program = Program::new();
    let [_, two] = [1, 2].map(|it| program.file(&format!("pepper-{it}"), CANARIES[it - 1]));
    issued(&program, "new", &["--pepper-file", &two, "--pepper-name", "2"]);
    let file = gate_with(&program, r#"next = { name = "3", secret = { file = "pepper-1" } }"#);
    let listed = shows_no_pepper(program.run(&["--json", "peppers", "--config", &file])).json();
    let rows = listed.as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| [&row["pepper"], &row["place"], &row["can_go"]]).collect();
    assert_eq!(rows, [["2", "new keys", "stays"], ["3", "next", "stays"]]);
}

#[test]
fn a_name_without_a_pepper_and_a_wrong_name_are_refused() {
    let program = Program::new();
    let pepper = program.file("pepper", CANARIES[0]);
    let create = ["keys", "create", "--account", "acme", "--id", "key_1"];
    let alone = program.run(&[&create[..], &["--pepper-name", "1"]].concat());
    assert_eq!(alone.code(), 2, "{}", alone.everything());
    let wrong = ["--pepper-file", &pepper, "--pepper-name", "two words"];
    let wrong = shows_no_pepper(program.run(&[&create[..], &wrong].concat()));
    assert_eq!(wrong.code(), 4, "{}", wrong.everything());
    let line = json!({ "digest": "0".repeat(64), "id": "k", "account": "a", "pepper": "1" });
    let file = program.file("keys.jsonl", &line.to_string());
    program.run(&["keys", "import", &file]).succeeded();
    assert_eq!(program.run(&["--json", "peppers"]).json()[0]["pepper"], "1");
}
