//! One lookup for all requests that ask for the same secret at the same time; and a line for those that
//! find no place among the lookups under way.
//!
//! It knows nothing of what is kept, or of the store: who joins says how a lookup runs, as a future.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::answer::{LINE, NoAnswer, Waiter};
use super::guard::{Guard, Line, Turn};
use super::notices::Notices;
use super::under_way::{LookupList, UnderWay};
use crate::error::StoreError;
use crate::key::KeyDigest;

/// Makes lookups, one at a time for each secret.
pub(super) struct Lookups(Arc<UnderWay>);

impl Lookups {
    /// Lets so many lookups ask the store at the same time.
    pub(super) fn new(at_once: usize) -> Self {
        Self(Arc::new(UnderWay::new(at_once)))
    }

    /// Joins the lookup of a secret, or begins one, which runs as `look_up` says.
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
            None if list.in_line >= LINE => return Err(StoreError::new(NoAnswer::LineIsFull)),
            None => Turn::InLine(Line::join(&self.0, &mut list)),
        };
        let (guard, waiter) = self.begin(&mut list, digest, notices);
        // A runtime that has ended drops the task here and now, which takes it off the list.
        drop(list);
        // On a task of its own: a client that goes away does not end the lookup that others wait for.
        runtime.spawn(look_up(guard, turn));
        Ok(waiter)
    }

    /// Begins the lookup of a secret, unless there is one, or no other may ask the store now.
    pub(super) fn begin_behind<F: Future<Output = ()> + Send + 'static>(
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

    /// Changes what is kept, in one step with what is noted of the lookups: that of a secret which `named`
    /// names is left behind.
    pub(super) fn leave_behind(&self, named: Option<&KeyDigest>, change: impl FnOnce()) {
        let mut list = self.0.lock();
        change();
        if let Some(digest) = named {
            list.leave_behind(digest);
        }
    }

    /// Returns why a request has waited in vain for as long as a lookup may take.
    pub(super) fn waited_in_vain(&self, digest: &KeyDigest, timeout: Duration) -> StoreError {
        let is_in_line = self.0.lock().is_in_line(digest);
        StoreError::new(if is_in_line {
            NoAnswer::InLine(timeout)
        } else {
            NoAnswer::Timeout(timeout)
        })
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn are_failing(&self) -> bool {
        self.0.is_failing()
    }

    /// Waits until a lookup fails, unless the latest has.
    pub(super) async fn fail(&self) {
        self.0.fails().await;
    }

    /// Begins a lookup of its own, as a task does.
    #[cfg(all(test, shuttle))]
    pub(super) fn begin_now(&self, digest: KeyDigest, notices: &Notices) -> (Guard, Waiter) {
        self.begin(&mut self.0.lock(), digest, notices)
    }

    /// Takes a permit to ask the store, unless all are taken.
    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.permits).try_acquire_owned().ok()
    }

    /// Puts a lookup on the list, in place of an earlier one that no request should join.
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
