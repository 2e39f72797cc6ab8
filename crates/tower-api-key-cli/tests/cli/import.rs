//! Tests what a failed import leaves, and `--atomic`.

use std::fmt::Write;

use serde_json::json;

use crate::program::Program;

/// More lines than one step adds.
const LINES: usize = 10_005;

fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        let line = json!({ "digest": format!("{number:064x}"), "id": format!("key_{number}"), "account": "acme" });
        writeln!(lines, "{line}").unwrap();
        lines
    })
}

fn keys(program: &Program) -> usize {
    program.run(&["--json", "keys", "list", "--limit", "100000"]).json().as_array().unwrap().len()
}

#[test]
fn an_import_that_fails_says_what_it_has_left() {
    let program = Program::new();
    let file = program.file("keys.jsonl", &lines(1));
    let first = program.run(&["keys", "import", &file]).everything();
    assert!(first.contains("1 keys added, of 1 lines"), "{first}");
    let file = program.file("keys.jsonl", &(lines(LINES) + "{}\n"));
    let broken = program.run(&["keys", "import", &file]);
    let said = broken.everything();
    assert_eq!((broken.code(), keys(&program)), (4, 10_000), "{said}");
    for words in ["line 10006", "lines 1 to 10000", "9999 added", "import it again"] {
        assert!(said.contains(words), "`{words}` is not in {said}");
    }
    let file = program.file("keys.jsonl", &lines(LINES));
    let again = program.run(&["keys", "import", &file]).everything();
    assert!(again.contains("5 keys added, of 10005 lines"), "{again}");
    assert_eq!(keys(&program), LINES);
}

#[test]
fn the_first_step_into_a_store_without_keys_is_large() {
    let program = Program::new();
    let file = program.file("keys.jsonl", &(lines(LINES) + "{}\n"));
    let broken = program.run(&["keys", "import", &file]).everything();
    assert!(broken.contains("no key is imported") && broken.contains("line 10006"), "{broken}");
    assert_eq!(keys(&program), 0);
    let file = program.file("keys.jsonl", &lines(LINES));
    let whole = program.run(&["keys", "import", &file]).everything();
    assert!(whole.contains("10005 keys added, of 10005 lines"), "{whole}");
    assert_eq!(keys(&program), LINES);
}

#[test]
fn an_early_mistake_leaves_nothing() {
    let program = Program::new();
    let file = program.file("keys.jsonl", &(lines(3) + "{}\n"));
    let broken = program.run(&["keys", "import", &file]).everything();
    assert!(broken.contains("no key is imported") && broken.contains("line 4"), "{broken}");
    assert_eq!(keys(&program), 0);
}

#[test]
fn an_atomic_import_is_all_or_nothing() {
    let program = Program::new();
    let file = program.file("keys.jsonl", &(lines(LINES) + "{}\n"));
    let broken = program.run(&["keys", "import", "--atomic", &file]);
    let said = broken.everything();
    assert_eq!((broken.code(), keys(&program)), (4, 0), "{said}");
    assert!(said.contains("no key is imported") && said.contains("line 10006"), "{said}");
    let file = program.file("keys.jsonl", &lines(LINES));
    let whole = program.run(&["keys", "import", &file, "--atomic"]).everything();
    assert!(whole.contains("10005 keys added, of 10005 lines"), "{whole}");
    assert_eq!(keys(&program), LINES);
}
