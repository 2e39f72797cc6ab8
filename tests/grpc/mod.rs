//! gRPC: the form of refusals, which needs no feature; a tonic service behind a gate, and tonic's client in
//! front of it.

#[cfg(feature = "tonic")]
mod denials;
mod equal_rows;
mod forms;
#[cfg(feature = "tonic")]
mod handlers;
#[cfg(all(feature = "reload", feature = "tonic"))]
mod reloads;
#[cfg(feature = "tonic")]
mod server;
#[cfg(feature = "tonic")]
mod services;
#[cfg(feature = "tonic")]
mod transport;
#[cfg(feature = "tonic")]
mod users;
#[cfg(feature = "tonic")]
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
#[path = "../../examples/vendors/src/users_v1.rs"]
mod users_v1;
