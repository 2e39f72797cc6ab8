//! A limiter in Redis or Valkey: exact over all processes that share it.
//!
//! One script charges all windows of a request in one step and one round trip, with the same
//! arithmetic as [`MemoryLimiter`](tower_api_key::limits::MemoryLimiter), bit for bit. The server's clock counts, so
//! those of the processes need not agree. What lies in Redis goes by itself when the last window of
//! an account is over.
//!
//! [`RedisConcurrency`] keep the places of simultaneous requests there, each leased to its process.
//!
//! A deployment sees to it that the server keeps what it was told: one that is restarted empty, or
//! that evicts keys, gives every account a fresh quota; so does a replica that takes over, for the
//! charges that had not reached it.

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

mod answer;
mod backoff;
mod breaker;
mod builder;
mod call;
mod concurrency;
mod connection;
mod failure;
#[cfg(test)]
mod faulty_server;
mod lease;
mod limiter;
mod link;
mod lock;
mod question;
mod refusal;
mod script;
mod subject;
mod unreachable;

pub use builder::RedisLimiterBuilder;
pub use concurrency::RedisConcurrency;
pub use lease::Lease;
pub use limiter::RedisLimiter;

/// The README's code is compiled as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Makes a record with nothing but its id and its account's.
#[cfg(test)]
fn bare(id: &str, account: &str) -> tower_api_key::key::KeyRecord {
    let account = tower_api_key::key::Account::builder(account).build().unwrap();
    tower_api_key::key::KeyRecord::builder(id, account).build().unwrap()
}
