//! Locking, where a panic under the lock leaves nothing half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after another thread panicked under the lock. Callers see to it that a panic leaves the
/// value whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
