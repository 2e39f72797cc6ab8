//! Writes a manifest for programs that use the demo.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::Failure;
use crate::keys::DemoKey;
use crate::organizations::{ORGANIZATIONS, Organization};

/// The addresses, the certificate's file, the keys and the organizations.
#[derive(Debug, Serialize)]
pub(crate) struct Manifest {
    pub(crate) https: String,
    pub(crate) http: String,
    pub(crate) ca: String,
    pub(crate) keys: Vec<DemoKey>,
    pub(crate) organizations: &'static [Organization],
}

impl Manifest {
    pub(crate) fn new(https: String, http: String, ca: &Path, keys: Vec<DemoKey>) -> Self {
        Self { https, http, ca: ca.display().to_string(), keys, organizations: ORGANIZATIONS }
    }

    /// Writes the file in one step. Only its owner may read it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write_json(self, path)
    }

    /// Returns the text of a demo key, or an empty text for an unknown one.
    pub(crate) fn key(&self, vendor: &str, label: &str) -> &str {
        let labelled = |key: &&DemoKey| key.vendor == vendor && key.label == label;
        self.keys.iter().find(labelled).map_or("", |key| &key.key)
    }
}

/// Writes a file of JSON in one step, so that no program reads half of it. Only its owner may read it, because it holds
/// keys.
pub(crate) fn write_json(value: &impl Serialize, path: &Path) -> Result<(), Failure> {
    let unwritable = |error| format!("cannot write {}: {error}", path.display());
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let text = serde_json::to_vec_pretty(value)?;
    // A file left by an earlier process may have another mode.
    let _ = fs::remove_file(&temporary);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary).map_err(unwritable)?;
    file.write_all(&text).map_err(unwritable)?;
    fs::rename(&temporary, path).map_err(unwritable)?;
    Ok(())
}
