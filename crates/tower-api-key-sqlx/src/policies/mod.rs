//! Policies: kept beside the keys, checked in the transaction of a change, and applied by a sweep.

mod bulk;
mod checks;
mod commands;
mod number;
mod rows;
mod rules_column;

pub(super) use bulk::ImportPolicies;
