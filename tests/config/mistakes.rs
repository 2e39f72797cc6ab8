//! Each kind of mistake, with its place, its text and its remedy.

use tower_api_key::config::FileFormat;

use crate::read;

/// What stands between two files of a list.
const BETWEEN: &str = "\n----\n";

/// What stands between a file and its mistakes.
const MISTAKES: &str = "\n=>";

/// Returns the mistakes of a file, one a line, as `LINE:COLUMN MISTAKE`.
fn listed(text: &str, format: FileFormat) -> String {
    let Err(error) = read(text, format) else { return "no mistake".to_owned() };
    let mistakes = error.mistakes().iter();
    let lines = mistakes.map(|it| format!("{}:{} {it}", it.line(), it.column()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads each file of a list, and compares its mistakes with those that are listed below it.
#[track_caller]
fn check(list: &str, format: FileFormat) {
    let (mut wrong, mut files) = (Vec::new(), 0);
    for block in list.split(BETWEEN) {
        let (text, expected) = block.split_once(MISTAKES).unwrap();
        let text = text.replace("<CR>", "\r");
        let found = listed(&text, format);
        if found != expected.trim() {
            wrong.push(format!("{text}{MISTAKES}\n{found}"));
        }
        files += 1;
    }
    assert!(wrong.is_empty(), "{} of {files}:\n{}", wrong.len(), wrong.join(BETWEEN));
}

#[test]
fn of_the_gate() {
    check(include_str!("mistakes/gate.txt"), FileFormat::Toml);
}

#[test]
fn of_the_profile() {
    check(include_str!("mistakes/profile.txt"), FileFormat::Toml);
}

#[test]
fn of_toml() {
    check(include_str!("mistakes/toml.txt"), FileFormat::Toml);
}

#[test]
fn of_json() {
    check(include_str!("mistakes/json.txt"), FileFormat::Json);
}
