//! The demo server, as its users meet it: a child process, driven over real TLS by real curl, by
//! Python's requests and by JavaScript's fetch.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod complaints;
mod curl;
#[path = "../../../../crates/tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
mod interpreters;
mod limits;
mod persona;
mod personyze;
mod polyteia;
mod polytomic;
#[path = "../../src/presentation.rs"]
mod presentation;
mod presented;
mod process;
#[allow(dead_code)]
#[path = "../../../../crates/tower-api-key-redis/tests/redis/server.rs"]
mod redis_server;
mod rest_integrations;
mod server;
mod transport;
