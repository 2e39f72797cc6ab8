//! Runs the program on a database of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use serde_json::Value;

/// The program with a directory, which is removed on drop.
pub(crate) struct Program {
    folder: PathBuf,
    store: String,
}

/// The result of a run of the program.
pub(crate) struct Run(Output);

impl Program {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("tower-api-key-cli-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let store = format!("sqlite:{}", folder.join("keys.db").display());
        Self { folder, store }
    }

    /// Runs on another database.
    pub(crate) fn on(mut self, store: &str) -> Self {
        store.clone_into(&mut self.store);
        self
    }

    /// Returns the URL of the database.
    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    /// Runs the program with empty standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.ask(arguments, "")
    }

    /// Runs the program with a key on standard input.
    pub(crate) fn ask(&self, arguments: &[&str], key: &str) -> Run {
        Self::run_with(
            Command::new(binary()).env("TOWER_API_KEY_STORE", &self.store),
            arguments,
            key,
        )
    }

    /// Runs the program with a key on standard input, and without the name of the database.
    pub(crate) fn ask_without_store(&self, arguments: &[&str], key: &str) -> Run {
        let mut command = Command::new(binary());
        command.current_dir(&self.folder).env_remove("TOWER_API_KEY_STORE");
        Self::run_with(&mut command, arguments, key)
    }

    fn run_with(command: &mut Command, arguments: &[&str], key: &str) -> Run {
        let mut child = command
            .args(arguments)
            .env_remove("TOWER_API_KEY_KEY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(key.as_bytes());
        Run(child.wait_with_output().unwrap())
    }

    /// Writes a file beside the database, and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// Returns the path of a file beside the database, or of the database.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Run {
    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().expect("it was not killed")
    }

    /// Returns the standard output of a run that must succeed.
    pub(crate) fn succeeded(&self) -> String {
        assert_eq!(self.code(), 0, "{}", self.everything());
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// Returns the standard output.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).unwrap_or_else(|_| panic!("{}", self.everything()))
    }

    /// Returns standard output and standard error.
    pub(crate) fn everything(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&self.0.stdout) + &text(&self.0.stderr)
    }
}

/// Returns the program's path. Cargo gives it to tests of this package; for tests of others it is built here.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = option_env!("CARGO_BIN_EXE_tower-api-key") {
            return binary.into();
        }
        let test = env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let mut cargo = Command::new(env!("CARGO"));
        // Some build scripts run again if what cargo tells tests of their package is set.
        for (name, _) in env::vars().filter(|(name, _)| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            cargo.env_remove(name);
        }
        // It is there already after a test of the whole workspace. Without an example, cargo would build dependencies
        // with other features.
        let built = cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--locked", "--profile", profile, "--workspace", "--all-features"])
            .args(["--bin", "tower-api-key", "--example", "first_answer"])
            .status();
        assert!(built.unwrap().success(), "the program does not build");
        folder.join(format!("tower-api-key{}", env::consts::EXE_SUFFIX))
    })
}
