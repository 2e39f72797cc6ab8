//! Files: those that ship, their schema, and what editors make of both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod broken;
mod editors;
mod language_server;
mod schema;
mod shipped;
#[path = "../support/vendor_files.rs"]
mod vendor_files;
