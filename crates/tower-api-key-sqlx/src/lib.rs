//! Keys in a database: SQLite for one machine, PostgreSQL for several; one code, two dialects.
//!
//! This crate guards the way between a row and a record. A lookup answers
//!
//! 1. with the record whose secret has exactly this digest, all 256 bits, found by primary keys;
//! 2. with nothing only if the database said that there is no such row;
//! 3. with an error in every other case: a lost connection, a call that took longer than it may, a
//!    row that is no valid record.
//!
//! A connection that broke, or whose last query did not end well, is replaced, so a database that was
//! restarted is survived, and so is a network that lost all connections without a word; until then
//! requests are answered 503. No table is touched that this program did not make. Every lookup is a round trip: put `Cached` in front of a
//! database that is not on the same machine.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a database there is nothing to use the rest.
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

#[cfg(test)]
mod attempts;
mod builder;
mod bulk;
mod connect;
mod dialect;
mod driver;
mod failure;
#[cfg(feature = "postgres")]
mod from_postgres;
#[cfg(feature = "sqlite")]
mod from_sqlite;
mod json;
#[cfg(feature = "postgres")]
mod listen;
mod loan;
mod lookup;
mod manager;
mod migrate;
mod notify;
mod outage;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod quota_column;
mod row;
mod session;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod step;
mod tables;
mod trail;
mod unprefixed;

pub use builder::SqlStoreBuilder;
pub use connect::SqlStore;
#[cfg(feature = "postgres")]
pub use listen::SqlInvalidations;

/// The README's code is compiled as the documentation's is.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;
