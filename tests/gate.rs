//! A gate in front of a service, as a client, an operator and a vendor's documentation see it.
//!
//! `cargo test --test gate conformance` runs one part; so does the name of any other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    clippy::large_stack_arrays,
    clippy::large_types_passed_by_value,
    missing_docs
)]

#[path = "../crates/tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;
#[path = "support/log.rs"]
mod log;
#[path = "support/source.rs"]
mod source;
mod support;
#[cfg(feature = "config")]
#[path = "support/vendor_files.rs"]
mod vendor_files;

mod abuse;
#[cfg(feature = "axum")]
mod axum_router;
mod conformance;
mod faults;
#[cfg(feature = "config")]
mod gallery;
mod grpc;
mod layer;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "reload")]
mod reload;
#[cfg(feature = "shaping")]
mod shaping;
#[cfg(all(feature = "metrics", feature = "tracing"))]
mod telemetry;
mod vendor_contract;
mod websocket;
