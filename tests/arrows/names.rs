//! One word, one type: no two types of a package share a name, private ones included.

use std::collections::BTreeMap;
use std::fs;

use super::source::{code, packages, sources};

/// What begins the definition of a type. An alias counts if it stands by itself, outside of an `impl`.
const KINDS: [&str; 5] = ["struct", "enum", "trait", "union", "type"];

/// Names that say nothing to an engineer who knows tower and HTTP, or that the project gave up.
const BANNED: [&str; 12] = [
    "Airspace",
    "Applicable",
    "Apart",
    "Entered",
    "Eventually",
    "Inner",
    "Manager2",
    "Passage",
    "Places",
    "Standing",
    "Taking",
    "Utils",
];

/// Returns the names of the types that a source defines.
fn types(source: &str) -> Vec<String> {
    let code = code(source);
    let mut found = Vec::new();
    for line in code.lines() {
        let is_inside = line.starts_with(' ');
        let mut words =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let Some(kind) = words.find(|word| !matches!(*word, "pub" | "crate" | "super" | "in"))
        else {
            continue;
        };
        if KINDS.contains(&kind) && !(kind == "type" && is_inside) {
            found.extend(words.next().map(str::to_owned));
        }
    }
    found
}

#[test]
fn no_two_types_of_a_package_share_a_name() {
    let mut shared = Vec::new();
    for (package, folder) in packages() {
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in sources(&folder) {
            for name in types(&fs::read_to_string(&path).unwrap()) {
                files.entry(name).or_default().push(path.display().to_string());
            }
        }
        assert!(!files.is_empty(), "{package}");
        shared.extend(files.into_iter().filter(|(_, files)| files.len() > 1));
    }
    assert!(shared.is_empty(), "prefix one of each: {shared:#?}");
}

#[test]
fn names_are_terms_of_the_field() {
    let mut found = Vec::new();
    for (_, folder) in packages() {
        for path in sources(&folder) {
            let source = fs::read_to_string(&path).unwrap();
            let names = types(&source);
            found.extend(names.into_iter().filter(|name| BANNED.contains(&&**name)));
            let functions = code(&source);
            let functions = functions
                .split("fn ")
                .skip(1)
                .filter(|rest| rest.starts_with("get_") && !rest.starts_with("get_or_init"));
            found.extend(functions.map(|rest| rest.chars().take(20).collect()));
        }
    }
    assert!(found.is_empty(), "{found:?}");
}
