//! API keys in a database: SQLite for one machine, PostgreSQL for several.
//!
//! [`SqlStore`] is a `KeyStore` and a `KeyManager` of `tower-api-key`. Both databases get the same statements,
//! in two dialects. A lookup returns
//!
//! 1. a record, if its secret has exactly this digest (all 256 bits), found by primary keys;
//! 2. `None`, only if the database answered that no such row exists;
//! 3. an error in every other case: a lost connection, a call over its timeout, a row that holds no valid
//!    record.
//!
//! The store replaces a connection that broke, or whose last query did not end well. So it survives a restart of
//! the database, and a network that drops connections silently. Until a new connection works, the gate answers
//! 503. The store changes no table that it did not create.
//!
//! In a deployment, every lookup is a round trip. Put `Replica` or `Cached` in front of a database on another machine.
//! The store is a `KeyFeed`: a `Replica` copies it, and then asks for the changes since. Each answer proves in one
//! statement that the reader's position still belongs to the store. So a replica notices that the database was restored
//! from a backup, lost its latest changes, or lost lines of its trail. It then copies the store anew.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a database, nothing uses the rest.
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused_imports, unused_macros, unused_variables)
)]
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

#[cfg(feature = "postgres")]
mod address;
mod among;
#[cfg(test)]
mod attempts;
mod builder;
mod bulk;
#[cfg(feature = "postgres")]
mod channel;
mod command;
mod connect;
mod copy_rows;
mod deadline;
mod deferred_indexes;
mod dialect;
mod differences_column;
mod driver;
mod events;
mod failure;
mod feed;
mod feed_query;
#[cfg(feature = "postgres")]
mod freshness;
#[cfg(feature = "postgres")]
mod from_postgres;
#[cfg(feature = "sqlite")]
mod from_sqlite;
mod group_queries;
mod import;
mod import_order;
mod inline;
mod json;
#[cfg(feature = "postgres")]
mod lag;
#[cfg(feature = "postgres")]
mod listen;
#[cfg(feature = "postgres")]
mod listener;
mod lists;
mod loan;
mod lookup;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod lookup_bursts;
mod lookup_queue;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod lookup_rate;
mod manager;
mod marks;
mod migrate;
mod migration;
mod most_keys;
mod newest_changes;
mod notify;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod on_both;
mod outage;
#[cfg(feature = "postgres")]
mod own_pool;
#[cfg(feature = "postgres")]
mod patience;
mod peppers;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod plan;
mod policies;
#[cfg(feature = "postgres")]
mod postgres;
mod present;
#[cfg(feature = "postgres")]
mod proof;
mod prune;
mod query;
mod quota_column;
#[cfg(feature = "postgres")]
mod repeats;
mod rotation;
mod row;
mod session;
mod settings;
mod slot;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod step;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod stops;
mod storable;
mod table_lock;
mod tables;
mod tag_fill;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tag_fills;
mod tags;
mod trail;
mod unprefixed;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod upgrades;
#[cfg(feature = "usage")]
mod usage;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod watched_pool;

pub use builder::SqlStoreBuilder;
pub use connect::SqlStore;
pub use events::{DeadEvent, DeliveryReport, EventDelivery, EventSweep, WaitingEvent};
#[cfg(feature = "postgres")]
pub use listen::SqlInvalidations;
pub use policies::{PolicyOutcome, PolicySweep};
#[cfg(feature = "usage")]
pub use usage::UsageRetention;

/// The README's code is compiled as the documentation's is.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;
