//! Every option of the builder can be written in a file, or is listed as one that needs Rust.

use std::fs;
use std::path::Path;

/// Methods of the builder that build, and not options.
const BUILDS: [&str; 3] = ["build", "build_after", "new"];

/// Options under another name, or inside of a table.
const ELSEWHERE: [(&str, &str); 4] = [
    ("limits", "limiter"),
    ("hasher", "pepper"),
    ("rehasher", "peppers"),
    ("concurrency", "limiter"),
];

/// Options that a program sets. The module's documentation lists them.
const IN_RUST: [&str; 6] =
    ["body_from", "clock", "forward_auth", "grant_in_request", "observer", "preflight_body"];

fn source(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap()
}

/// Returns the word after each of these beginnings of a line.
fn words_after(source: &str, beginning: &str) -> Vec<String> {
    let lines = source.lines().filter_map(|line| line.trim_start().strip_prefix(beginning));
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    lines.map(word).collect()
}

#[test]
fn no_option_of_the_builder_is_forgotten() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("src/service/builder");
    let mut methods = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        methods.extend(words_after(&source, "pub fn "));
    }
    let tables = source("src/config/tables.rs");
    let fields = words_after(&tables, "pub(super) ");
    let module = source("src/config/mod.rs");
    assert!(methods.len() > 25 && fields.len() > 25, "{methods:?} {fields:?}");
    for method in methods.iter().filter(|method| !BUILDS.contains(&&***method)) {
        let name =
            ELSEWHERE.iter().find(|(name, _)| name == method).map_or(&**method, |(_, it)| it);
        if IN_RUST.contains(&name) {
            assert!(
                module.contains(&format!("ApiKeyLayerBuilder::{name})")),
                "the docs list {name}"
            );
        } else {
            assert!(fields.iter().any(|field| field == name), "no field of a file sets `{method}`");
        }
    }
}

/// Files with the setters of an option, the file of its table, and setters whose fields have other names.
type OptionSource =
    (&'static [&'static str], &'static str, &'static [(&'static str, &'static str)]);

const TABLES: [OptionSource; 8] = [
    (&["src/rules/route.rs", "src/rules/own_limits.rs"], "route", &[]),
    (&["src/rules/scope_rules.rs"], "scopes", &[]),
    (
        &["src/concurrency/rule.rs"],
        "concurrency",
        &[("with_longest_wait", "longest_wait"), ("with_longest_queue", "longest_queue")],
    ),
    (&["src/attempts/failures.rs"], "attempts", &[("counted_by", "shared_on_failure")]),
    (&["src/attempts/refusals.rs"], "attempts", &[]),
    (&["src/limits/anonymous.rs"], "anonymous", &[]),
    (&["src/service/preflight.rs"], "preflight", &[]),
    (
        &["src/request/proxies.rs"],
        "proxies",
        &[("and_unix_socket", "unix_socket"), ("client", "networks")],
    ),
];

#[test]
fn no_setter_of_an_option_is_forgotten() {
    for (sources, table, renamed) in TABLES {
        let table = source(&format!("src/config/gate/{table}.rs"));
        for file in sources {
            let text = source(file);
            let text = text.split("#[cfg(test)]").next().unwrap();
            let setters = words_after(text, "pub const fn ");
            let setters = setters.into_iter().chain(words_after(text, "pub fn "));
            let setters: Vec<String> = setters.filter(|name| name != "new").collect();
            assert!(!setters.is_empty(), "{file}");
            for setter in setters {
                let field = renamed.iter().find(|(name, _)| *name == setter);
                let field = field.map_or(&*setter, |(_, field)| field);
                let is_field = table.lines().any(|line| {
                    let line = line.trim_start().trim_start_matches("pub(super) ");
                    let line = line.trim_start_matches("pub(in crate::config) ");
                    line.strip_prefix(field).is_some_and(|rest| rest.starts_with(": "))
                });
                assert!(is_field, "{file}: no field of a file sets `{setter}`");
            }
        }
    }
}
