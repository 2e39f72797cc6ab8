//! What editors make of the schema: Taplo (the engine of Even Better TOML), the language server Tombi for TOML, and
//! that of VS Code for JSON.
//!
//! `tests/run` installs them from npm. Where they are missing the tests say so, or fail with `REQUIRE_EDITORS`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};

use super::broken::{BROKEN, RIGHT};
use super::language_server::LanguageServer;
use super::schema;
use crate::vendor_files::{FILES, root};

/// Returns the path of a program; none if it is missing, which fails the test if `REQUIRE_EDITORS` is set.
fn program(name: &str) -> Option<PathBuf> {
    let folder =
        env::var_os("EDITORS").map_or_else(|| root().join("target/editors"), PathBuf::from);
    let path = folder.join("node_modules/.bin").join(name);
    let runs = path.exists() && Command::new("node").arg("--version").output().is_ok();
    if !runs {
        assert!(env::var_os("REQUIRE_EDITORS").is_none(), "there is no {name}");
        println!("SKIPPED: there is no {name}");
    }
    runs.then_some(path)
}

/// A folder of one test. It goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("tower-api-key-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder.canonicalize().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn schema_path() -> String {
    schema::path().canonicalize().unwrap().display().to_string()
}

/// Checks files as `taplo lint` does; returns those that it refuses.
fn lint(taplo: &Path, folder: &Folder, files: &[PathBuf]) -> Vec<String> {
    let url = format!("file://{}", schema_path());
    // What it says of each file names the file.
    let output = Command::new(taplo)
        .args(["lint", "--no-auto-config", "--schema", &url])
        .args(files)
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let told =
        String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    let refused: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .filter(|file| told.contains(&format!("path=\"{file}\"")))
        .collect();
    assert_eq!(output.status.success(), refused.is_empty(), "{told}");
    refused
}

#[test]
fn taplo_finds_the_mistakes_of_files_and_none_where_none_is() {
    let Some(taplo) = program("taplo") else { return };
    let folder = Folder::new("lint");
    let shipped: Vec<_> = FILES.iter().map(|file| file.path().canonicalize().unwrap()).collect();
    assert_eq!(lint(&taplo, &folder, &shipped), [""; 0]);
    let files = |files: &[(&str, &str)], kind: &str| -> Vec<PathBuf> {
        let numbered = files.iter().enumerate();
        let write = |(number, (_, text)): (usize, &(&str, &str))| {
            folder.write(&format!("{kind}-{number}.toml"), text)
        };
        numbered.map(write).collect()
    };
    assert_eq!(lint(&taplo, &folder, &files(RIGHT, "right")), [""; 0]);
    let broken = files(BROKEN, "broken");
    let refused = lint(&taplo, &folder, &broken);
    let found = |path: &PathBuf| refused.contains(&path.display().to_string());
    let missed: Vec<_> = broken
        .iter()
        .zip(BROKEN)
        .filter(|(path, _)| !found(path))
        .map(|(_, (name, _))| name)
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn an_editor_of_toml_checks_completes_and_explains() {
    let Some(tombi) = program("tombi") else { return };
    let folder = Folder::new("toml");
    let arguments = ["lsp", "--offline"];
    let mut server = LanguageServer::start(&tombi, &arguments, &folder.0, json!({}));
    let directive = format!("#:schema {}\n", schema_path());
    let good = directive.clone() + "[profile]\nbase = \"polyteia\"\nrealm = \"acme\"\n\n";
    let path = folder.write("good.toml", &good);
    assert_eq!(server.open(&path, "toml", &good, false), [""; 0]);
    let hover = server.ask("textDocument/hover", &path, 3, 2).to_string();
    assert!(hover.contains("The realm of challenges"), "{hover}");
    let offered = server.ask("textDocument/completion", &path, 4, 0).to_string();
    for name in ["credentials", "limit_headers", "answers_by_path"] {
        assert!(offered.contains(name), "{name}: {offered}");
    }
    let bad = directive + "[profile]\nbase = \"polyteia\"\nrelam = \"acme\"\n";
    let path = folder.write("bad.toml", &bad);
    let found = server.open(&path, "toml", &bad, true);
    assert!(
        found.iter().any(|told| told.starts_with("4: ") && told.contains("relam")),
        "{found:?}"
    );
}

#[test]
fn an_editor_of_json_checks_completes_and_explains() {
    let Some(program) = program("vscode-json-language-server") else { return };
    let folder = Folder::new("json");
    let settings = json!({ "json": { "validate": { "enable": true } }, "http": {} });
    let mut server = LanguageServer::start(&program, &["--stdio"], &folder.0, settings);
    let file = |profile: Value| {
        let schema = format!("file://{}", schema_path());
        serde_json::to_string_pretty(&json!({ "$schema": schema, "profile": profile })).unwrap()
    };
    let good = file(json!({ "base": "polyteia", "name": { "env": "NAME" }, "realm": "acme" }));
    let path = folder.write("good.json", &good);
    assert_eq!(server.open(&path, "json", &good, false), [""; 0]);
    let place = |text: &str, word: &str| {
        let line = text.lines().position(|line| line.contains(word)).unwrap();
        (line, text.lines().nth(line).unwrap().find(word).unwrap() + 1)
    };
    let (line, character) = place(&good, "realm");
    let hover = server.ask("textDocument/hover", &path, line, character).to_string();
    assert!(hover.contains("The realm of challenges"), "{hover}");
    let (line, character) = place(&good, "\"polyteia\"");
    let offered = server.ask("textDocument/completion", &path, line, character).to_string();
    for name in ["persona", "polytomic_on_premises", "standard"] {
        assert!(offered.contains(name), "{name}: {offered}");
    }
    let bad = file(json!({ "base": "polyteia", "relam": "acme", "request_id": { "name": 3 } }));
    let path = folder.write("bad.json", &bad);
    let found = server.open(&path, "json", &bad, true).join("\n");
    assert!(found.contains("relam") && found.contains("string"), "{found}");
}
