//! The answer that a promise needs.

#![allow(clippy::panic)] // A broken promise is reported by a panic.

use std::fmt::Debug;

/// Returns the value of an answer. Panics if the answer is an error.
#[track_caller]
pub(super) fn done<T, E: Debug>(answer: Result<T, E>, what: &str) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("{what} failed: {error:?}"),
    }
}
