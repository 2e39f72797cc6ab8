//! Locks that ignore poisoning.

use std::sync::PoisonError;

use super::{Mutex, MutexGuard};
#[cfg(feature = "cache")]
use super::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks a mutex, even if another thread panicked while it held the lock. Callers make sure that a panic
/// never leaves the value half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for reading, even if another thread panicked while it changed the value. Callers make sure that a panic never
/// leaves the value half changed.
#[cfg(feature = "cache")]
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for writing, even if another thread panicked while it changed the value. Callers make sure that a panic never
/// leaves the value half changed.
#[cfg(feature = "cache")]
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to load a mutex from memory, so that the next lock does not wait for memory. Locks nothing.
#[inline]
pub(crate) fn preload<T>(mutex: &Mutex<T>) {
    // A processor goes on while it loads what nobody uses.
    #[cfg(not(all(test, shuttle)))]
    std::hint::black_box(mutex.is_poisoned());
    // Shuttle's mutex does not say.
    #[cfg(all(test, shuttle))]
    let _ = mutex;
}
