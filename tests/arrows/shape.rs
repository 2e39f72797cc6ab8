//! How long a file is, and what stands in a `mod.rs`.

use std::fs;
use std::path::Path;

use super::source::{code, packages, sources};

/// The lines that a file has at most, with its tests.
const LONGEST: usize = 300;

/// The longer ones, and why.

/// Each `mod.rs` with code in it, and why.
const WITH_CODE: &[(&str, &str)] =
    &[("src/vendors/mod.rs", "its test is to be moved with the room")];

/// What code begins with. A `mod.rs` has a paragraph, a list of modules and exports.
const CODE: [&str; 9] =
    ["fn", "impl", "struct", "enum", "trait", "type", "macro_rules", "union", "static"];

/// Calls with each source's path from the root of the repository, and its text.
fn each_source(mut see: impl FnMut(&str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (_, folder) in packages() {
        for path in sources(&folder) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            see(name, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// Compares what was found with what is listed.
fn compare(mut found: Vec<String>, listed: &[(&str, &str)]) {
    let mut files: Vec<String> = listed.iter().map(|(file, _)| (*file).to_owned()).collect();
    found.sort();
    files.sort();
    assert_eq!(found, files, "found on the left, listed on the right");
    assert!(listed.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn no_file_is_longer_than_300_lines_save_those_with_a_reason() {
    let mut found = Vec::new();
    each_source(|name, text| {
        if text.lines().count() > LONGEST {
            found.push(name.to_owned());
        }
    });
    compare(found, LONGER);
}

#[test]
fn a_mod_rs_holds_no_code() {
    let mut found = Vec::new();
    each_source(|name, text| {
        let code = code(text);
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        if name.ends_with("/mod.rs") && words.any(|word| CODE.contains(&word)) {
            found.push(name.to_owned());
        }
    });
    compare(found, WITH_CODE);
}
