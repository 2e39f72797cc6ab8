//! Locking, where a panic under the lock leaves nothing half done.

use std::sync::PoisonError;

use super::{Mutex, MutexGuard};

/// Locks, also after another thread panicked under the lock. Callers see to it that a panic leaves the
/// value whole.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
