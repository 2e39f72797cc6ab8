//! What threads share memory through, wherever the order of their steps decides what is true: the
//! standard library's types, and `ArcSwap`.
//!
//! Compiled with `--cfg shuttle`, tests have stand-ins of Shuttle's types instead, which let a
//! scheduler choose at every step who goes next. `.ci/schedules` runs them.
//!
//! Shuttle takes every step to be seen at once by all, so it says nothing of memory orders. Those matter
//! in one place: what a slot of the store's table leads to lies behind a `OnceLock`, which orders itself.

mod lock;
mod reply;
#[cfg(all(test, shuttle))]
mod shuttle;
mod size;
mod stripe;

#[cfg(not(all(test, shuttle)))]
pub(crate) use arc_swap::ArcSwap;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

#[cfg(all(test, shuttle))]
pub(crate) use self::shuttle::{ArcSwap, OnceLock, explore};
#[cfg(all(test, shuttle))]
pub(crate) use ::shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(all(test, shuttle))]
pub(crate) use ::shuttle::sync::{Mutex, MutexGuard};

pub(crate) use lock::lock;
pub(crate) use size::size;
pub(crate) use stripe::{STRIPES, stripe};

pub use reply::Reply;
