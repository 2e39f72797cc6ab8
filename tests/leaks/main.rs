//! A canary key goes every way through the crate, and shows up nowhere: not in what clients, logs
//! and traces are told, and not in memory when it is no longer needed. Of its digest, nothing shows
//! but the first four bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../databases/folder.rs"]
mod folder;
#[allow(dead_code)]
#[path = "../cli/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

mod canary;
mod vendors;

mod command_line;
mod management;
mod options;
mod panics;
mod printed;
mod ways;

// Only Linux shows a process its own memory as a file.
#[cfg(target_os = "linux")]
mod memory;
