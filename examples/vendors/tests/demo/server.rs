//! The demo as a child process on free ports.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running demo, ended on drop.
pub(crate) struct Demo {
    pub(crate) child: Child,
    pub(crate) manifest: Value,
    folder: PathBuf,
}

impl Demo {
    /// Starts a demo, and waits until it has said where it listens.
    pub(crate) fn start(options: &[&str]) -> Self {
        // Hundreds of refusals would hide what a test says.
        let quiet: &[&str] = if options.contains(&"--log") { &[] } else { &["--log", "warn"] };
        Self::start_printing(&[options, quiet].concat(), Stdio::null(), Stdio::inherit())
    }

    /// Starts a demo whose standard output and standard error go there.
    pub(crate) fn start_printing(options: &[&str], out: Stdio, err: Stdio) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("demo-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("manifest.json");
        // Where a test does not say otherwise, nothing outlives it.
        let memory: &[&str] =
            if options.contains(&"--store") { &[] } else { &["--store", "memory"] };
        let child = Command::new(binary())
            .args(["--https", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(memory)
            .arg("--manifest")
            .arg(&file)
            .args(options)
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("the demo starts");
        let mut demo = Self { child, manifest: Value::Null, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !file.exists() {
            assert!(Instant::now() < deadline, "no manifest was written");
            let ended = demo.child.try_wait().unwrap();
            assert!(ended.is_none(), "the demo ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        // No retry: a manifest that can be seen is whole.
        demo.manifest = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        demo
    }

    pub(crate) fn https(&self) -> &str {
        self.manifest["https"].as_str().unwrap()
    }

    pub(crate) fn http(&self) -> &str {
        self.manifest["http"].as_str().unwrap()
    }

    pub(crate) fn certificate(&self) -> &str {
        self.manifest["ca"].as_str().unwrap()
    }

    pub(crate) fn key(&self, vendor: &str, label: &str) -> &str {
        let keys = self.manifest["keys"].as_array().unwrap();
        let found = keys.iter().find(|key| key["vendor"] == vendor && key["label"] == label);
        found.unwrap_or_else(|| panic!("no key {vendor} {label}"))["key"].as_str().unwrap()
    }

    /// Asks the demo to end, and leaves it to the caller to wait.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
        // A killed demo cannot tidy up.
        if let Some(folder) = self.manifest["ca"].as_str().and_then(|ca| Path::new(ca).parent()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Returns the demo's program, which cargo builds with its tests.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_vendors"))
}
