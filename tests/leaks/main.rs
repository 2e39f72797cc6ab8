//! A canary key goes every way through the crate, and shows up nowhere: not in what clients, logs
//! and traces are told, and not in memory when it is no longer needed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

// Only Linux shows a process its own memory as a file.
#[cfg(target_os = "linux")]
mod memory;
