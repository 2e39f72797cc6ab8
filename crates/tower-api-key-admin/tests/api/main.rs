//! Tests of the management API behind a gate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod docs;
mod failures;
mod hostile;
mod keys;
mod operators;
mod owners;
mod policies;
mod policy_rights;
mod quotas;
mod raising;
mod requests;
mod schemathesis;
mod session;
mod usage;
mod world;
