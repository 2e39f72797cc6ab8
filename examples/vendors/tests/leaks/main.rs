//! A canary key goes every way through the crate, and shows up nowhere: not in what clients, logs
//! and traces are told, and not in memory when it is no longer needed. Of its digest, nothing shows
//! but the first four bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "../demo/server.rs"]
mod demo_server;
#[path = "../../../../crates/tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
#[allow(dead_code)]
#[path = "../../../../tests/conformance/frames.rs"]
mod frames;
#[allow(dead_code)]
#[path = "../../../../crates/tower-api-key-sqlx/tests/databases/postgres.rs"]
mod postgres;
#[allow(dead_code)]
#[path = "../../../../crates/tower-api-key-cli/tests/cli/program.rs"]
mod program;
#[allow(dead_code)]
#[path = "../../../../crates/tower-api-key-redis/tests/redis/server.rs"]
mod redis_server;
#[allow(dead_code)]
#[path = "../../../../tests/conformance/server.rs"]
mod server;
#[path = "../../../../tests/support/mod.rs"]
mod support;
#[allow(dead_code)]
#[path = "../../../../tests/conformance/wire.rs"]
mod wire;

mod canary;
mod traced;
mod vendors;

mod admin;
mod command_line;
mod demo;
mod management;
mod options;
mod panics;
mod printed;
mod redis;
mod sockets;
mod ways;

// Only Linux shows a process its own memory as a file.
#[cfg(target_os = "linux")]
mod memory;
