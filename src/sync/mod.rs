//! Types for memory that threads share: the standard library's, and `ArcSwap`. Code whose correctness depends
//! on the order of its steps imports them from here.
//!
//! Tests that are compiled with `--cfg shuttle` use the types of Shuttle instead. Its scheduler chooses at
//! every step which thread runs next. `.ci/schedules` runs these tests.
//!
//! Under Shuttle every thread sees every step at once, so memory orders are not tested. They matter in one
//! place: a slot of the store's table leads to an entry. The entry is behind a `OnceLock`, which orders its
//! own accesses.

mod lock;
mod reply;
#[cfg(all(test, shuttle))]
mod shuttle;
mod size;
mod stripe;

#[cfg(not(all(test, shuttle)))]
pub(crate) use arc_swap::{ArcSwap, Guard as ArcGuard};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};
#[cfg(all(feature = "cache", not(all(test, shuttle))))]
pub(crate) use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(all(test, shuttle))]
pub(crate) use self::shuttle::{ArcGuard, ArcSwap, OnceLock, explore};
#[cfg(all(test, shuttle))]
pub(crate) use ::shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(all(test, shuttle))]
pub(crate) use ::shuttle::sync::{Mutex, MutexGuard};
#[cfg(all(feature = "cache", test, shuttle))]
pub(crate) use ::shuttle::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(crate) use lock::{lock, preload};
#[cfg(feature = "cache")]
pub(crate) use lock::{read, write};
pub(crate) use size::size;
pub(crate) use stripe::{STRIPES, stripe};

pub use reply::Reply;
