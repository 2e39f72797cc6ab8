//! The observers that learn why an operation was answered with 503.

use std::sync::Arc;

use tower_api_key::Observer;
use tower_api_key::limits::{LimiterError, LimiterFallback};
use tower_api_key::store::{ManageError, StoreError};

/// The observers that learn why an operation was answered with 503: they get the causes of a store and a limiter, which no
/// client sees.
#[derive(Clone, Default)]
pub(crate) struct FailureObservers(Vec<Arc<dyn Observer>>);

impl FailureObservers {
    pub(crate) fn add(&mut self, observer: impl Observer) {
        self.0.push(Arc::new(observer));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reports a failure of a store.
    pub(crate) fn store_failed(&self, error: &StoreError) {
        self.0.iter().for_each(|observer| observer.store_failed(error));
    }

    /// Reports a failure of a limiter, and what was done instead.
    pub(crate) fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.0.iter().for_each(|observer| observer.limiter_failed(error, fallback));
    }

    /// Reports why a store has not done something, if that is a failure and no answer to the caller.
    pub(crate) fn note<T>(&self, result: &Result<T, ManageError>) {
        match result {
            Err(ManageError::Store(error)) => self.store_failed(error),
            Err(error @ (ManageError::PolicyUnreadable { .. } | ManageError::NotYetApplied(_))) => {
                self.store_failed(&StoreError::new(error.to_string()));
            }
            _ => {}
        }
    }
}
