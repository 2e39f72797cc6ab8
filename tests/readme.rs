//! The first steps in the documents, taken as a newcomer takes them: the README's program answers, and the
//! commands of `docs/keys.md` work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

const README: &str = include_str!("../README.md");
const KEYS: &str = include_str!("../docs/keys.md");
const PROGRAM: &str = include_str!("../examples/first_answer.rs");

/// Returns a document's code blocks of a language.
fn blocks(document: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    document.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Stops the server, however the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_first_program_is_the_example_and_its_crates_are_added() {
    assert_eq!(blocks(README, "rust,no_run"), [PROGRAM]);
    let added = blocks(README, "sh")[0];
    for line in PROGRAM.lines().filter_map(|line| line.strip_prefix("use ")) {
        let name = line.split([':', ';']).next().unwrap().replace('_', "-");
        assert!(added.contains(&name), "{name} is not added");
    }
    assert!(added.contains("tokio") && added.contains("--features axum"), "{added}");
}

#[test]
fn a_newcomer_gets_an_answer() {
    let started = Command::new(example()).stdout(Stdio::piped()).spawn().unwrap();
    let mut server = Server(started);
    let mut printed = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut printed).unwrap();
    let curl = printed.trim_end();
    for (command, status, end) in [
        (curl.to_owned(), "200", "the users of acme\n"),
        (curl.replace("Bearer ", "Bearer x"), "401", ""),
        (format!("{curl} -X POST"), "403", ""),
    ] {
        let run = Command::new("sh").args(["-c", &command]).output().unwrap();
        if run.status.code() == Some(127) {
            assert!(env::var_os("REQUIRE_INTERPRETERS").is_none(), "there is no curl");
            eprintln!("skipped: there is no curl");
            return;
        }
        let answer = String::from_utf8(run.stdout).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with(end), "{answer}");
        if status == "200" {
            // What is printed of the answer is what comes.
            let shown = blocks(README, "text")[0].lines().skip(1).filter(|line| *line != "…");
            for line in shown {
                assert!(
                    answer.lines().any(|came| came.trim_end() == line),
                    "{line} is not in {answer}"
                );
            }
        }
    }
}

#[test]
fn the_commands_work_as_they_are_printed() {
    let mut blocks = blocks(KEYS, "sh").into_iter();
    let commands = blocks.find(|block| block.contains("tower-api-key keys"));
    // The program is there already, and was built with this feature.
    let commands = commands.unwrap().replace("cargo install --path crates/tower-api-key-cli\n", "");
    assert!(!commands.contains("cargo"), "{commands}");
    let folder = env::temp_dir().join(format!("tower-api-key-readme-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let program = program();
    let programs = program.parent().unwrap();
    let path = env::join_paths(
        [programs.to_path_buf()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())),
    );
    let run = Command::new("sh")
        .args(["-e", "-c", &commands])
        .current_dir(&folder)
        .env("PATH", path.unwrap())
        .env_remove("TOWER_API_KEY_KEY")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{said}{complained}");
    assert!(
        said.contains("admitted: backup") && complained.contains("backup is revoked"),
        "{said}"
    );
    let _ = fs::remove_dir_all(&folder);
}

/// Builds the first program.
fn example() -> PathBuf {
    programs().join("examples/first_answer")
}

/// Builds the program of the command line, a package of its own.
fn program() -> PathBuf {
    programs().join("tower-api-key")
}

/// Builds both programs as this test was built, and returns their folder. They are there already after a test of the
/// whole workspace.
fn programs() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // Some build scripts run again if what cargo tells tests of their package is set.
    for (name, _) in env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        cargo.env_remove(name);
    }
    let built = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--locked", "--profile", profile, "--workspace", "--all-features"])
        .args(["--bin", "tower-api-key", "--example", "first_answer"])
        .status();
    assert!(built.unwrap().success(), "the programs do not build");
    folder.to_path_buf()
}
