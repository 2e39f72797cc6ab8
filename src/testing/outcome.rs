//! Insists on an answer.

#![allow(clippy::panic)] // A broken promise is told by a panic.

use std::fmt::Debug;

/// Returns what a store or a limiter has to answer.
#[track_caller]
pub(super) fn done<T, E: Debug>(answer: Result<T, E>, what: &str) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error:?}"),
    }
}
