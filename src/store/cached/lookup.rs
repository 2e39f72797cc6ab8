//! A lookup on its way: in line, at the store, and back with an answer.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::OwnedSemaphorePermit;

use super::super::KeyStore;
use super::cache::Inner;
use super::flight::{Answer, LINE, Landed, List, Shared};
use super::kept::Asked;
use crate::error::StoreError;
use crate::key::KeyDigest;

/// A lookup on its way. It leaves the list however it ends, also with its runtime.
pub(super) struct Lookup<S: KeyStore> {
    inner: Arc<Inner<S>>,
    digest: KeyDigest,
    number: u64,
    after: u64,
    answer: Answer,
}

impl<S: KeyStore> Lookup<S> {
    pub(super) const fn new(
        inner: Arc<Inner<S>>,
        digest: KeyDigest,
        number: u64,
        answer: Answer,
    ) -> Self {
        Self { inner, digest, number, after: u64::MAX, answer }
    }

    pub(super) async fn run(mut self, place: Result<OwnedSemaphorePermit, Line<S>>) {
        let place = match place {
            Ok(place) => Some(place),
            Err(line) => self.wait_in(line).await,
        };
        let Some(place) = place else { return };
        let asked = self.asks();
        let inner = Arc::clone(&self.inner);
        // A store may panic before it has made its future, too.
        let asking = AssertUnwindSafe(async { inner.store.find(&self.digest).await });
        let longest = inner.settings().timeout;
        let found = match tokio::time::timeout(longest, asking.catch_unwind()).await {
            Ok(Ok(found)) => found.map_err(Arc::new),
            Ok(Err(_panic)) => failed(NoAnswer::Panicked),
            Err(_) => failed(NoAnswer::Timeout(longest)),
        };
        drop(place);
        self.land(asked, found);
    }

    /// Waits for a place; none, if all that waited for the lookup have gone. They go at the latest when
    /// they have waited for as long as a lookup may take.
    async fn wait_in(&self, line: Line<S>) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(Arc::clone(&line.0.flights.places).acquire_owned());
        loop {
            let nobody_waits = pin!(self.answer.closed());
            match select(place.as_mut(), nobody_waits).await {
                Either::Left((place, _)) => return place.ok(),
                Either::Right(_) => {
                    let mut list = self.inner.flights.lock();
                    // Somebody may have come in between.
                    if self.answer.receiver_count() == 0 {
                        self.leave(&mut list);
                        return None;
                    }
                }
            }
        }
    }

    /// Notes when, and after which notice, the store is asked: before it looks.
    pub(super) fn asks(&mut self) -> Asked {
        let mut list = self.inner.flights.lock();
        self.after = self.inner.notices.latest();
        list.asks(&self.digest, self.number, self.after);
        drop(list);
        Asked { at: self.inner.settings().clock.now(), after: self.after }
    }

    /// Keeps an answer, unless its secret was named since the store was asked, and hands it out.
    pub(super) fn land(&mut self, asked: Asked, found: Shared) {
        let failed = found.is_err();
        let mut list = self.inner.flights.lock();
        if self.leave(&mut list) {
            self.inner.settle(self.digest, asked, &found);
        }
        drop(list);
        self.inner.flights.note(failed);
        self.answer.send_replace(Some(Landed { found, after: asked.after }));
    }

    /// Hands out that there is no answer.
    fn end(&self, found: Shared) {
        self.leave(&mut self.inner.flights.lock());
        self.answer.send_replace(Some(Landed { found, after: self.after }));
    }

    /// Takes the lookup off the list; returns false if it was left behind before.
    fn leave(&self, list: &mut List) -> bool {
        list.remove(self.digest, self.number)
    }
}

impl<S: KeyStore> Drop for Lookup<S> {
    fn drop(&mut self) {
        if self.answer.borrow().is_none() {
            self.end(failed(NoAnswer::Ended));
        }
    }
}

/// Counts one that waits in line.
pub(super) struct Line<S: KeyStore>(Arc<Inner<S>>);

impl<S: KeyStore> Line<S> {
    pub(super) fn join(inner: &Arc<Inner<S>>, list: &mut List) -> Self {
        list.in_line += 1;
        Self(Arc::clone(inner))
    }
}

impl<S: KeyStore> Drop for Line<S> {
    fn drop(&mut self) {
        let mut list = self.0.flights.lock();
        list.in_line = list.in_line.saturating_sub(1);
    }
}

fn failed(why: NoAnswer) -> Shared {
    Err(Arc::new(StoreError::new(why)))
}

/// Why there was no answer, if it is not the store that says so.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the store did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the lookup stood in line for {0:?}; the store is slow, or lookups_at_once is low")]
    InLine(Duration),
    #[error("more than {LINE} lookups wait in line")]
    LineIsFull,
    #[error("the store panicked")]
    Panicked,
    #[error("the lookup was ended with its runtime")]
    Ended,
}
