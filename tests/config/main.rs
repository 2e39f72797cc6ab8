//! A front door in a file: its mistakes, each with its place, and a gate that works as one that is built in Rust; the
//! files that ship, their schema, and what editors make of both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    clippy::large_types_passed_by_value,
    missing_docs
)]

mod broken;
mod changed_rows;
mod editors;
mod fields;
mod language_server;
mod large;
mod mistakes;
mod options;
mod page;
mod reference;
mod requests;
mod schema;
mod shipped;
#[cfg(feature = "axum")]
mod socket;
mod ten;
#[path = "../support/vendor_files.rs"]
mod vendor_files;
mod written;
mod wrong_values;

use tower_api_key::config::{FileFormat, FrontDoor, FrontDoorError, Mistake};

/// Reads a file.
fn read(text: &str, format: FileFormat) -> Result<FrontDoor, FrontDoorError> {
    let name = if format == FileFormat::Json { "gate.json" } else { "gate.toml" };
    FrontDoor::parse(name, text, format)
}

/// Returns the mistakes of a file in TOML.
fn mistakes(text: &str) -> Vec<Mistake> {
    match read(text, FileFormat::Toml) {
        Ok(_) => Vec::new(),
        Err(error) => error.mistakes().to_vec(),
    }
}
