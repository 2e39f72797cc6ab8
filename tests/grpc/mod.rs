//! gRPC: a tonic service behind a gate, and tonic's client in front of it.

mod denials;
mod forms;
mod handlers;
mod server;
mod services;
mod transport;
mod users;
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
#[path = "../../examples/vendors/src/users_v1.rs"]
mod users_v1;
