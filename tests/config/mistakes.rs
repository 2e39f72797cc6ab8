//! Each kind of mistake, with its place, its text and its remedy.

use std::fs;
use std::path::Path;

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
    let lines = mistakes.map(|it| shortened(&format!("{}:{} {it}", it.line(), it.column())));
    lines.collect::<Vec<_>>().join("\n")
}

/// Keeps the first names of a list: it grows with every new field.
fn shortened(mistake: &str) -> String {
    let Some((text, names)) = mistake.split_once("(write one of ") else {
        return mistake.to_owned();
    };
    let names: Vec<&str> = names.trim_end_matches(')').split(", ").collect();
    let shown = if names.len() > 5 { "…".to_owned() } else { names.join(", ") };
    format!("{text}(write one of {shown})")
}

/// Reads each file of a list, and compares its mistakes with those that are listed below it.
#[track_caller]
fn check(name: &str, format: FileFormat) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mistakes").join(name);
    let list = fs::read_to_string(&path).unwrap();
    let (mut wrong, mut files, mut written) = (Vec::new(), 0, Vec::new());
    for block in list.split(BETWEEN) {
        let (text, expected) = block.split_once(MISTAKES).unwrap();
        let text = text.replace("<CR>", "\r");
        let found = listed(&text, format);
        if found != expected.trim() {
            wrong.push(format!("{text}{MISTAKES}\n{found}"));
        }
        files += 1;
        written.push(format!("{}{MISTAKES}\n{found}", text.replace('\r', "<CR>")));
    }
    if std::env::var_os("UPDATE_FILES").is_some() {
        fs::write(&path, written.join(BETWEEN) + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{} of {files}:\n{}", wrong.len(), wrong.join(BETWEEN));
}

#[test]
fn of_the_gate() {
    check("gate.txt", FileFormat::Toml);
}

#[test]
fn of_the_profile() {
    check("profile.txt", FileFormat::Toml);
}

#[test]
fn of_toml() {
    check("toml.txt", FileFormat::Toml);
}

#[test]
fn of_json() {
    check("json.txt", FileFormat::Json);
}
