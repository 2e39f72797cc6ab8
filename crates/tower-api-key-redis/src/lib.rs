//! Limiters in Redis or Valkey, which count exactly over all processes that share a server.
//!
//! [`RedisLimiter`] charges all windows of a request with one script, in one step and one round trip. It has
//! the same arithmetic as [`MemoryLimiter`](tower_api_key::limits::MemoryLimiter), bit for bit. The server's
//! clock counts, so the clocks of the processes need not agree. Each Redis key expires when the last window
//! of its account is over. Requests that come while a call is under way share the next one.
//!
//! [`RedisConcurrency`] limits simultaneous requests. Each permit is leased to its process.
//!
//! # Networks
//!
//! Counters of anonymous clients are named by a digest of their network, and no address is stored. They lie in at
//! most 4,096 Redis keys with 256 counters each, which take up to 250 MB (Redis 7.0, sliding windows).
//!
//! A site is an IPv6 `/48` or an IPv4 `/24`. All its networks belong to one Redis key. If the key is full of active
//! counters, further networks of a site are counted together, in one counter for each quota and site. There is room
//! for 64 such counters. Beyond them, all further networks of the key are counted together.
//!
//! So a site with many networks can fill one Redis key, which it shares with one in 4,096 of all sites. Clients of
//! those sites then share the quota of their site. Without a pepper, an attacker with many sites can compute which of
//! them shares a Redis key with a given client. Set a pepper with [`RedisLimiterBuilder::network_hasher`]. It also
//! keeps those who read the server's memory from finding an address by trying all.
//!
//! Each Redis key expires when the last window of its networks is over.
//!
//! # Deployment
//!
//! Give the server enough memory, and set `maxmemory-policy noeviction`. A server that restarts empty, or that
//! evicts keys, gives every account a fresh quota. A replica that takes over does not know the charges that had
//! not reached it.

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

mod address;
mod answer;
mod backoff;
mod breaker;
mod builder;
mod call;
mod cluster;
mod concurrency;
mod connection;
mod counted;
mod credentials;
mod dialer;
mod endpoint;
mod failure;
#[cfg(test)]
mod faulty_server;
mod greeting;
mod home;
mod lease;
mod limiter;
mod link;
mod link_call;
mod lock;
mod misconfigured;
mod named_primary;
mod network;
mod numbers;
mod observer;
mod question;
mod question_queue;
mod redirect;
#[cfg(feature = "metrics")]
mod redis_metrics;
mod refusal;
mod script;
mod script_parts;
mod sentinels;
mod servers;
#[cfg(feature = "testing")]
mod stream_source;
mod subject;
#[cfg(feature = "tls")]
mod tls;
mod together;
mod unreachable;
mod ways;
mod wrong_server;

pub use builder::RedisLimiterBuilder;
pub use concurrency::RedisConcurrency;
pub use credentials::RedisCredentials;
pub use lease::Lease;
pub use limiter::RedisLimiter;
pub use observer::{ChargeWay, RedisObserver};
#[cfg(feature = "metrics")]
pub use redis_metrics::RedisMetrics;
#[cfg(feature = "testing")]
pub use stream_source::StreamSource;
#[cfg(feature = "tls")]
pub use tls::RedisTls;

/// The README, whose code is tested as the documentation's code is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Returns a record with no more than its id and its account's id.
#[cfg(test)]
fn bare(id: &str, account: &str) -> tower_api_key::key::KeyRecord {
    let account = tower_api_key::key::Account::builder(account).build().unwrap();
    tower_api_key::key::KeyRecord::builder(id, account).build().unwrap()
}
