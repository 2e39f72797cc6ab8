//! Single flight: one lookup for all requests that ask for the same secret at the same time, and a queue for
//! lookups without a permit.
//!
//! This module knows neither the cached records nor the store. The caller passes a lookup as a future.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::answer::{LONGEST_QUEUE, NoAnswer, Waiter};
use super::guard::{Guard, QueueEntry, Turn};
use super::notices::Notices;
use super::under_way::{LookupList, UnderWay};
use crate::error::StoreError;
use crate::key::KeyDigest;

/// Runs lookups, one at a time for each secret.
pub(super) struct Lookups(Arc<UnderWay>);

impl Lookups {
    /// Lets up to `at_once` lookups ask the store at the same time.
    pub(super) fn new(at_once: usize) -> Self {
        Self(Arc::new(UnderWay::new(at_once)))
    }

    /// Joins the lookup of a secret, or begins one with the future of `look_up`.
    pub(super) fn join<F: Future<Output = ()> + Send + 'static>(
        &self,
        digest: KeyDigest,
        notices: &Notices,
        look_up: impl FnOnce(Guard, Turn) -> F,
    ) -> Result<Waiter, StoreError> {
        let mut list = self.0.lock();
        if let Some(waiter) = list.join(&digest, notices) {
            return Ok(waiter);
        }
        let runtime = Handle::try_current().map_err(StoreError::new)?;
        let turn = match self.permit() {
            Some(permit) => Turn::Now(permit),
            None if list.queued >= LONGEST_QUEUE => {
                return Err(StoreError::new(NoAnswer::QueueIsFull));
            }
            None => Turn::Queued(QueueEntry::join(&self.0, &mut list)),
        };
        let (guard, waiter) = self.begin(&mut list, digest, notices);
        // A runtime that has shut down drops the task at once. Dropping it locks the list.
        drop(list);
        // In a task of its own: a client that hangs up does not end a lookup that others wait for.
        runtime.spawn(look_up(guard, turn));
        Ok(waiter)
    }

    /// Begins the lookup of a secret, unless one is running or no permit is free.
    pub(super) fn begin_in_background<F: Future<Output = ()> + Send + 'static>(
        &self,
        digest: KeyDigest,
        notices: &Notices,
        look_up: impl FnOnce(Guard, Turn) -> F,
    ) {
        let mut list = self.0.lock();
        if !list.is_joinable(&digest, notices)
            && let Ok(runtime) = Handle::try_current()
            && let Some(permit) = self.permit()
        {
            let (guard, _) = self.begin(&mut list, digest, notices);
            drop(list);
            runtime.spawn(look_up(guard, Turn::Now(permit)));
        }
    }

    /// Changes the cached records, and in the same step detaches the lookup of the secret `named`.
    pub(super) fn detach(&self, named: Option<&KeyDigest>, change: impl FnOnce()) {
        let mut list = self.0.lock();
        change();
        if let Some(digest) = named {
            list.detach(digest);
        }
    }

    /// Returns the error of a request that waited until the timeout.
    pub(super) fn timeout_error(&self, digest: &KeyDigest, timeout: Duration) -> StoreError {
        let is_queued = self.0.lock().is_queued(digest);
        StoreError::new(if is_queued {
            NoAnswer::Queued(timeout)
        } else {
            NoAnswer::Timeout(timeout)
        })
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn are_failing(&self) -> bool {
        self.0.is_failing()
    }

    /// Waits until a lookup fails. Returns at once if the latest lookup failed.
    pub(super) async fn wait_for_failure(&self) {
        self.0.wait_for_failure().await;
    }

    /// Begins a lookup as a task does.
    #[cfg(all(test, shuttle))]
    pub(super) fn begin_now(&self, digest: KeyDigest, notices: &Notices) -> (Guard, Waiter) {
        self.begin(&mut self.0.lock(), digest, notices)
    }

    /// Takes a permit to ask the store, unless all are taken.
    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.permits).try_acquire_owned().ok()
    }

    /// Puts a lookup on the list. It replaces an earlier one that no request should join.
    fn begin(
        &self,
        list: &mut LookupList,
        digest: KeyDigest,
        notices: &Notices,
    ) -> (Guard, Waiter) {
        let (answer, receiver) = watch::channel(None);
        let guard = Guard::new(&self.0, list, digest, answer);
        (guard, Waiter::new(receiver, notices.latest()))
    }
}
