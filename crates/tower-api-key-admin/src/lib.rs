//! Issuing keys over HTTP: a ready-made axum router over any [`KeyManager`](tower_api_key::store::KeyManager).
//!
//! This crate guards the one moment in which a secret leaves the server. A key is issued
//!
//! 1. to a request that a gate around this router admitted, with a [`Grant`](tower_api_key::Grant);
//! 2. for a user that the grant's key may manage, as your [`Users`] say;
//! 3. with `force=true`, in one step with the end of all other keys of that user.
//!
//! The router has no gate of its own: without one around it, every request is refused. A response
//! holds a secret, so keep response bodies out of logs, and serve it over HTTPS only, which the gate sees to.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::items_after_statements,
        clippy::too_many_lines
    )
)]

mod user_keys;
mod users;

pub use user_keys::UserKeys;
pub use users::{User, Users};

/// The README's code is compiled as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
