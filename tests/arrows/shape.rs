//! How long a file is, and what stands in a `mod.rs`.

use std::fs;

use super::source::{code, packages, root, sources};

/// The lines that a file has at most, with its tests.
const LONGEST: usize = 300;

/// What code begins with. A `mod.rs` has a paragraph, a list of modules and exports.
const CODE: [&str; 9] =
    ["fn", "impl", "struct", "enum", "trait", "type", "macro_rules", "union", "static"];

/// Calls with each source's path from the root of the repository, and its text.
fn each_source(mut see: impl FnMut(&str, &str)) {
    let root = root();
    for (_, folder) in packages() {
        for path in sources(&folder) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            see(name, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn no_file_is_longer_than_300_lines() {
    let mut found = Vec::new();
    each_source(|name, text| {
        if text.lines().count() > LONGEST {
            found.push(name.to_owned());
        }
    });
    assert!(found.is_empty(), "split by noun: {found:?}");
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
    assert!(found.is_empty(), "code in a list of modules: {found:?}");
}
