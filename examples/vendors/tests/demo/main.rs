//! The demo server, as its users meet it: a child process, driven over real TLS by real curl, by
//! Python's requests, by JavaScript's fetch, and by two clients of gRPC.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod complaints;
mod console;
mod curl;
#[path = "../../../../crates/tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
mod gallery;
mod grpc;
mod interpreters;
mod limits;
mod manage;
mod openapi;
mod persona;
mod personyze;
mod polyteia;
mod polytomic;
mod process;
#[allow(dead_code)]
#[path = "../../../../crates/tower-api-key-redis/tests/redis/server.rs"]
mod redis_server;
mod rest_integrations;
mod server;
mod telemetry;
mod transport;
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
#[path = "../../src/users_v1.rs"]
mod users_v1;
mod websocket;
mod workshop;
