//! Tests of the console: over HTTP, and in Chromium.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod doors;
mod driver;
mod fields;
mod million;
mod pages;
mod policies;
mod policy_doors;
mod quotas;
mod rights;
mod server;
mod trail;
mod usage;
