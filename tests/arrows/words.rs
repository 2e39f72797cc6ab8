//! What public docs and documents do not say: words of a private vocabulary, and sentences that have to be read
//! twice. CONTRIBUTING.md has what to write instead.

use std::fs;
use std::path::Path;

use super::source::{packages, root, sources};

/// How no first line of a doc begins.
const STARTS: [&str; 9] = [
    "tells ",
    "hears ",
    "says ",
    "does so",
    "does the same",
    "notes how ",
    "notes that ",
    "sees ",
    "knows ",
];

/// What no line contains, as whole words.
const PHRASES: [&str; 35] = [
    "this room",
    "whoever",
    "whomever",
    "nobody",
    "everybody",
    "stranger",
    "strangers",
    "airspace",
    "manieth",
    "to and fro",
    "but for",
    "for ever",
    "for want of",
    "all the same",
    "to the letter",
    "without a word",
    "sign of life",
    "unless told",
    "unless said",
    "unless set otherwise",
    "what becomes of",
    "that becomes of",
    "serves no more",
    "served no more",
    "sees to it",
    "see to it",
    "has to see to",
    "are told",
    "was told",
    "to be told",
    "is not there",
    "are not there",
    "was not there",
    "were it not",
    "were they not",
];

/// The hidden lines that an example has at most.
const HIDDEN: usize = 3;

/// Returns the lines of documentation of a source, each with its number; without what stands in fences.
fn docs(source: &str) -> Vec<(usize, bool, String)> {
    let (mut fenced, mut first) = (false, true);
    let mut found = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            (fenced, first) = (false, true);
            continue;
        };
        let text = text.trim();
        if text.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !text.is_empty() {
            found.push((number + 1, first, text.to_owned()));
            first = false;
        }
    }
    found
}

/// Returns the lines of a document, without what stands in fences and tables of patterns.
fn prose(document: &str) -> Vec<(usize, bool, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.push((number + 1, false, line.to_owned()));
        }
    }
    found
}

/// Returns what a line says that it must not.
fn complaint(first: bool, line: &str) -> Option<&'static str> {
    let words: String = line
        .to_lowercase()
        .chars()
        .map(|character| if character.is_alphanumeric() { character } else { ' ' })
        .collect();
    let words = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
    let start = STARTS.iter().find(|start| first && words.trim_start().starts_with(**start));
    start.or_else(|| PHRASES.iter().find(|phrase| words.contains(&format!(" {phrase} ")))).copied()
}

fn check(path: &Path, lines: Vec<(usize, bool, String)>, found: &mut Vec<String>) {
    let path = path.strip_prefix(root()).unwrap().display();
    for (number, first, line) in lines {
        if let Some(complaint) = complaint(first, &line) {
            found.push(format!("{path}:{number}: `{}`: {line}", complaint.trim()));
        }
    }
}

#[test]
fn public_docs_are_plain() {
    let mut found = Vec::new();
    for (_, folder) in packages() {
        for path in sources(&folder) {
            check(&path, docs(&fs::read_to_string(&path).unwrap()), &mut found);
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn documents_are_plain() {
    let mut found = Vec::new();
    let documents = ["README", "DESIGN", "SECURITY", "CHANGELOG"].map(|name| root().join(name));
    let documents = documents.map(|path| path.with_extension("md"));
    let pages = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path().join("README.md"));
    for path in documents.into_iter().chain(pages).chain(crates) {
        if path.extension().is_some_and(|extension| extension == "md") {
            check(&path, prose(&fs::read_to_string(&path).unwrap()), &mut found);
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn examples_hide_little() {
    let mut found = Vec::new();
    for (_, folder) in packages() {
        for path in sources(&folder) {
            let (mut fenced, mut hidden, mut at) = (false, 0, 0);
            for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
                let line = line.trim_start();
                let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
                let Some(text) = text.map(str::trim_start) else { continue };
                if text.starts_with("```") {
                    fenced = !fenced;
                    if hidden > HIDDEN {
                        found.push(format!("{}:{at}: {hidden}", path.display()));
                    }
                    (hidden, at) = (0, number + 1);
                } else if fenced && (text == "#" || text.starts_with("# ")) {
                    hidden += 1;
                }
            }
        }
    }
    assert!(found.is_empty(), "over {HIDDEN} hidden lines:\n{}", found.join("\n"));
}

#[test]
fn what_is_banned_is_found() {
    assert_eq!(complaint(true, "Tells whether it is alive."), Some("tells "));
    assert_eq!(complaint(false, "A person tells a friend."), None);
    assert_eq!(complaint(false, "Sent to\u{a0}nobody."), Some("nobody"));
    assert_eq!(complaint(false, "all but formats"), None);
    assert_eq!(docs("/// One.\n/// ```\n/// nobody\n/// ```\nfn f() {}").len(), 1);
}
