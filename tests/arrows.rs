//! Who may import whom: rooms lie in flow order, and imports point against the flow.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "arrows/circles.rs"]
mod circles;
#[path = "arrows/imports.rs"]
mod imports;
#[path = "arrows/names.rs"]
mod names;
#[path = "arrows/shape.rs"]
mod shape;
#[path = "arrows/source.rs"]
mod source;
#[path = "arrows/words.rs"]
mod words;

use std::fs;

use source::{code, logic, root, sources, without_tests};

/// Each room with the rooms it may import. What stands in `ANYWHERE` may be imported by all.
const ARROWS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("error", &["key", "quota"]),
    ("sync", &[]),
    ("quota", &[]),
    ("key", &["quota"]),
    ("profile", &["key", "quota"]),
    ("request", &["key", "profile"]),
    ("policy", &["key"]),
    ("store", &["key", "quota", "policy"]),
    ("concurrency", &["key", "quota"]),
    ("caller", &["key"]),
    ("attempts", &["key", "quota", "caller", "limits"]),
    ("limits", &["key", "quota", "concurrency", "caller"]),
    ("rules", &["key", "profile", "request", "quota", "concurrency"]),
    ("response", &["key", "profile", "request", "quota", "caller"]),
    (
        "decision",
        &["key", "profile", "request", "rules", "quota", "concurrency", "limits", "caller"],
    ),
    ("vendors", &["key", "profile", "rules", "quota", "concurrency"]),
    (
        "service",
        &[
            "key",
            "request",
            "store",
            "rules",
            "quota",
            "concurrency",
            "attempts",
            "caller",
            "limits",
            "decision",
            "response",
            "profile",
            "openapi",
        ],
    ),
    ("events", &["key", "quota", "decision", "service", "store"]),
    ("shaping", &["key", "request", "decision", "response"]),
    ("openapi", &["key", "profile", "request", "rules", "quota", "caller", "decision", "response"]),
    (
        "config",
        &[
            "key",
            "request",
            "store",
            "rules",
            "quota",
            "concurrency",
            "attempts",
            "limits",
            "profile",
            "service",
            "telemetry",
            "vendors",
            "usage",
            "events",
        ],
    ),
    ("telemetry", &["key", "store", "caller", "limits", "decision", "service"]),
    ("usage", &["key", "caller", "decision", "service", "store"]),
    (
        "testing",
        &["key", "quota", "policy", "store", "concurrency", "limits", "decision", "caller"],
    ),
];
const ANYWHERE: &[&str] = &["clock", "error", "sync"];

/// The rooms that a source names in code, tests and documentation left aside.
fn imports(source: &str) -> Vec<String> {
    let code = without_tests(&code(source));
    let named = code.split("crate::").skip(1);
    let room = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    // What begins with `__` is a macro of the room itself.
    named.map(room).filter(|room: &String| !room.starts_with("__")).collect()
}

#[test]
fn imports_point_against_the_flow() {
    let root = root().join("src");
    let files = sources(&root);
    let mut wrong = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&root).unwrap();
        let room = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let allowed = ARROWS.iter().find(|(name, _)| *name == room);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("room {room} has no arrows"));
        for import in imports(&fs::read_to_string(file).unwrap()) {
            let fine =
                import == room || ANYWHERE.contains(&&*import) || allowed.contains(&&*import);
            if !fine {
                wrong.push(format!("{} imports crate::{import}", relative.display()));
            }
        }
    }
    assert!(files.len() > 50, "only {} files were read", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_vendor_is_named_in_logic() {
    let root = root().join("src");
    let files = sources(&root);
    let names = ["personyze", "polyteia", "persona", "polytomic", "rest_integrations"];
    // A file of a front door names the vendor that it starts from.
    let base = root.join("config/profile/base.rs");
    let logic_files =
        files.iter().filter(|file| !file.starts_with(root.join("vendors")) && **file != base);
    for file in logic_files {
        let source = fs::read_to_string(file).unwrap();
        for line in logic(&source).lines() {
            let line = line.to_ascii_lowercase();
            let named = names.iter().find(|name| line.contains(*name));
            assert!(named.is_none(), "{}: {line}", file.display());
        }
    }
}

/// Cargo.toml forbids it in every target; this sees that nobody lifts that, and looks where no target
/// is built, too.
#[test]
fn nothing_is_unsafe() {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    let mut files = Vec::new();
    for folder in ["src", "crates", "examples", "benches", "tests"] {
        let before = files.len();
        files.extend(sources(&root.join(folder)));
        assert!(files.len() > before, "{folder} has no sources");
    }
    // Put together here, so that this file is clean as well.
    let (word, lint) = (["un", "safe"].concat(), ["un", "safe_code"].concat());
    let mut found = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for (number, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|it| it == word || it == lint) {
                found.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
