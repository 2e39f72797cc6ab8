//! The gateway over real sockets: raw bytes, real clients and real upstreams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod balance;
mod fields;
mod grpc;
mod inbox;
mod lifecycle;
mod limits;
mod managed;
mod process;
mod quiet;
mod raw;
mod shapes;
mod site;
mod sockets;
mod streaming;
mod swap;
mod upstream;
mod upstream_tls;
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
#[path = "../../../vendors/src/users_v1.rs"]
mod users_v1;
