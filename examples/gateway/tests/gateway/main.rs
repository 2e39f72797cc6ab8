//! The gateway over real sockets: raw bytes, real clients and real upstreams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod fields;
mod raw;
mod site;
