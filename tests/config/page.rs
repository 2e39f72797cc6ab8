//! What `docs/configuration.md` shows is true: the example, the mistakes, and the reference.

use std::path::PathBuf;
use std::{env, fs};

use tower_api_key::config::{FileFormat, FrontDoor};

use super::reference::reference;
use crate::vendor_files::root;

fn path() -> PathBuf {
    root().join("docs/configuration.md")
}

/// Returns the blocks of the page that are in a language.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(path()).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(|block| format!("{block}\n")).collect()
}

/// Returns a file with values that are there, in place of those that a deployment has.
fn deployed(file: &str) -> String {
    file.replace("/run/secrets/pepper", "../LICENSE")
        .replace("DATABASE_URL", "CARGO_PKG_NAME")
        .replace("REDIS_URL", "CARGO_PKG_NAME")
}

#[test]
fn the_example_describes_a_front_door() {
    let example = deployed(&blocks("toml")[0]);
    if let Err(error) = FrontDoor::parse("gate.toml", &example, FileFormat::Toml) {
        panic!("{error}");
    }
    assert_eq!(super::schema::mistakes(&super::schema::validator(), &example), [""; 0]);
}

#[test]
fn the_mistakes_are_those_that_are_told() {
    let file = &blocks("toml")[1];
    let error = FrontDoor::parse("gate.toml", file, FileFormat::Toml).unwrap_err();
    assert_eq!(format!("{error}\n"), blocks("text")[0]);
}

#[test]
fn the_placeholders_are_those_of_bodies() {
    let placeholders = |text: &str, start: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix(start)?.split_once(" |"));
        rows.map(|(names, _)| names.to_owned()).filter(|names| !names.contains('=')).collect()
    };
    let source = fs::read_to_string(root().join("src/profile/body.rs")).unwrap();
    let page = fs::read_to_string(path()).unwrap();
    let listed = placeholders(&source, "/// | `{");
    assert_eq!(listed.len(), 15, "{listed:?}");
    assert_eq!(placeholders(&page, "| `{"), listed);
}

#[test]
fn the_reference_is_that_of_the_schema() {
    let page = fs::read_to_string(path()).unwrap();
    let [start, end] = ["<!-- reference -->\n", "<!-- end of reference -->\n"];
    let (before, rest) = page.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let written = format!("{before}{start}{}{end}{after}", reference());
    if env::var_os("UPDATE_FILES").is_some() {
        fs::write(path(), &written).unwrap();
    }
    assert!(
        fs::read_to_string(path()).unwrap() == written,
        "the reference is outdated: run `UPDATE_FILES=1 cargo test -p tests --test config`"
    );
}
