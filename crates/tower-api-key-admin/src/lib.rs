//! Axum routers that manage API keys over HTTP, for any [`KeyManager`](tower_api_key::store::KeyManager).
//!
//! [`ManagementApi`] manages keys and accounts, for operators and for customers who manage the keys of their own account.
//! Its rules are those of [`management`]. No caller gives a key more than its own key has.
//!
//! [`UserKeys`] issues keys as Polytomic does. The router issues a key
//!
//! 1. for a request that a gate around the router admitted, with a [`Grant`](tower_api_key::Grant);
//! 2. for a user whom the grant's account may manage, as your [`Users`] decide;
//! 3. with `force=true`, and then ends all other keys of that user in the same step.
//!
//! The routers have no gate of their own: put one around them. Without a gate they answer every request with 500. A
//! response may hold a secret, so keep response bodies out of logs.

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

mod api;
#[cfg(feature = "console")]
pub mod console;
mod failure_observers;
pub mod management;
mod user_keys;
mod users;

pub use api::ManagementApi;
pub use user_keys::UserKeys;
pub use users::{User, Users};

/// The README's code is compiled as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The code of the console's documentation, too.
#[cfg(all(doctest, feature = "console"))]
#[doc = include_str!("../../../docs/console.md")]
struct ConsoleDocument;
