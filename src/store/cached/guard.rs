//! One lookup: in the queue, at the store, and back with an answer.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use tokio::sync::OwnedSemaphorePermit;

use super::answer::{AnswerSender, LookupAnswer, NoAnswer, SharedFound};
use super::notices::Notices;
use super::under_way::{LookupList, UnderWay};
use crate::key::KeyDigest;

/// Keeps a lookup on the list. Dropping the guard takes the lookup off the list, even when its runtime shuts
/// down.
pub(super) struct Guard {
    under_way: Arc<UnderWay>,
    digest: KeyDigest,
    number: u64,
    after: u64,
    answer: AnswerSender,
}

/// How a lookup begins.
pub(super) enum Turn {
    /// The lookup asks the store at once.
    Now(OwnedSemaphorePermit),
    /// The lookup waits for the permit of another one.
    Queued(QueueEntry),
}

impl Guard {
    /// Puts a lookup on the list.
    pub(super) fn new(
        under_way: &Arc<UnderWay>,
        list: &mut LookupList,
        digest: KeyDigest,
        answer: AnswerSender,
    ) -> Self {
        let number = list.insert(digest, answer.clone());
        Self { under_way: Arc::clone(under_way), digest, number, after: u64::MAX, answer }
    }

    /// Returns the digest of the secret that is looked up.
    pub(super) const fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    /// Waits for a permit to ask the store. Returns `None` if no request waits for the lookup any more. A
    /// request waits until the timeout at most.
    pub(super) async fn wait_for(&self, turn: Turn) -> Option<OwnedSemaphorePermit> {
        let entry = match turn {
            Turn::Now(permit) => return Some(permit),
            Turn::Queued(entry) => entry,
        };
        let mut permit = pin!(Arc::clone(&entry.0.permits).acquire_owned());
        loop {
            let all_left = pin!(self.answer.closed());
            match select(permit.as_mut(), all_left).await {
                Either::Left((permit, _)) => return permit.ok(),
                Either::Right(_) => {
                    let mut list = self.under_way.lock();
                    // Another request may have joined in between.
                    if self.answer.receiver_count() == 0 {
                        self.leave(&mut list);
                        return None;
                    }
                }
            }
        }
    }

    /// Records the number of the latest notice, and returns it. Called before the store is asked.
    pub(super) fn prepare(&mut self, notices: &Notices) -> u64 {
        let mut list = self.under_way.lock();
        self.after = notices.latest();
        list.asks(&self.digest, self.number, self.after);
        self.after
    }

    /// Sends an answer to all requests that wait. Calls `keep` before, unless a notice named the secret since
    /// the store was asked. `keep` runs under the lock of the lookups, so that no notice comes in between.
    pub(super) fn settle(&mut self, found: SharedFound, keep: impl FnOnce(&SharedFound)) {
        let failed = found.is_err();
        let mut list = self.under_way.lock();
        if self.leave(&mut list) {
            keep(&found);
        }
        drop(list);
        self.under_way.note(failed);
        self.answer.send_replace(Some(LookupAnswer { found, after: self.after }));
    }

    /// Sends the error of a lookup that was dropped.
    fn end(&self) {
        self.leave(&mut self.under_way.lock());
        let found = NoAnswer::Ended.into();
        self.answer.send_replace(Some(LookupAnswer { found, after: self.after }));
    }

    /// Takes the lookup off the list. Returns false if a notice had detached it.
    fn leave(&self, list: &mut LookupList) -> bool {
        list.remove(self.digest, self.number)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.answer.borrow().is_none() {
            self.end();
        }
    }
}

/// Counts one lookup in the queue.
pub(super) struct QueueEntry(Arc<UnderWay>);

impl QueueEntry {
    pub(super) fn join(under_way: &Arc<UnderWay>, list: &mut LookupList) -> Self {
        list.queued += 1;
        Self(Arc::clone(under_way))
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        let mut list = self.0.lock();
        list.queued = list.queued.saturating_sub(1);
    }
}
