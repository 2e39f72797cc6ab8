//! A lock that ignores poisoning.

use std::sync::PoisonError;

use super::{Mutex, MutexGuard};

/// Locks a mutex, even if another thread panicked while it held the lock. Callers make sure that a panic
/// never leaves the value half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
