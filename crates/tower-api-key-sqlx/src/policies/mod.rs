//! Policies: kept beside the keys, checked in the transaction of a change, and applied by a sweep.

mod bulk;
mod checks;
mod commands;
mod dates;
mod due_key;
mod due_keys;
mod number;
mod outcome;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod plans;
mod preview;
mod recorded_uses;
mod rows;
mod rules_column;
mod sweep;

pub use outcome::PolicyOutcome;
pub use sweep::PolicySweep;
