//! What the gallery tells programs and people.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::door::GalleryDoor;
use super::issued::GalleryKey;
use crate::manifest::write_json;
use crate::{Failure, telemetry};

/// The addresses, the certificate's file, and the keys with the URL for each vendor's client.
#[derive(Debug, Serialize)]
pub(crate) struct GalleryManifest {
    https: String,
    http: String,
    ca: String,
    keys: Vec<GalleryKey>,
}

impl GalleryManifest {
    pub(crate) fn new(https: String, http: String, ca: &Path, doors: &[GalleryDoor]) -> Self {
        let keys = doors.iter().flat_map(|door| door.keys.iter().cloned()).collect();
        Self { https, http, ca: ca.display().to_string(), keys }
    }

    /// Writes the file in one step. Only its owner may read it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write_json(self, path)
    }

    /// Prints the addresses and the keys. A closed output does not stop the demo.
    pub(crate) fn print(&self) {
        let _ = self.write_to(&mut io::stdout().lock());
    }

    fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "Gallery on {}, a page that lists its front doors", self.https)?;
        writeln!(out, "HTTP    on {}, where gates refuse every key", self.http)?;
        writeln!(out, "Metrics on {}{}, for this machine", self.http, telemetry::PATH)?;
        writeln!(out, "\nDemo keys, valid until this process ends:\n")?;
        for key in &self.keys {
            let note = if key.account.is_empty() { "unknown to the store" } else { &key.account };
            writeln!(out, "  {:<13} {:<9} {} {note}", key.vendor, key.label, key.key)?;
        }
        writeln!(out, "\nThe certificate is in {}", self.ca)?;
        out.flush()
    }
}
