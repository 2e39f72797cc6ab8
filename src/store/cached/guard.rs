//! One lookup on its way: in line, at the store, and back with an answer.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use tokio::sync::OwnedSemaphorePermit;

use super::answer::{AnswerSender, LookupAnswer, NoAnswer, SharedFound};
use super::notices::Notices;
use super::under_way::{LookupList, UnderWay};
use crate::key::KeyDigest;

/// Keeps a lookup on the list. It leaves the list however it ends, also with its runtime.
pub(super) struct Guard {
    under_way: Arc<UnderWay>,
    digest: KeyDigest,
    number: u64,
    after: u64,
    answer: AnswerSender,
}

/// What a lookup begins with.
pub(super) enum Turn {
    /// It may ask the store at once.
    Now(OwnedSemaphorePermit),
    /// It waits until another has ended.
    InLine(Line),
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

    /// Returns the secret that is looked up.
    pub(super) const fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    /// Waits for a permit to ask the store; none, if all that waited for the lookup have gone. They go at
    /// the latest when they have waited for as long as a lookup may take.
    pub(super) async fn wait_for(&self, turn: Turn) -> Option<OwnedSemaphorePermit> {
        let line = match turn {
            Turn::Now(permit) => return Some(permit),
            Turn::InLine(line) => line,
        };
        let mut permit = pin!(Arc::clone(&line.0.permits).acquire_owned());
        loop {
            let nobody_waits = pin!(self.answer.closed());
            match select(permit.as_mut(), nobody_waits).await {
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

    /// Notes after which notice the store is asked. Returns that notice. Called before the store is asked.
    pub(super) fn prepare(&mut self, notices: &Notices) -> u64 {
        let mut list = self.under_way.lock();
        self.after = notices.latest();
        list.asks(&self.digest, self.number, self.after);
        self.after
    }

    /// Keeps an answer, unless its secret was named since the store was asked, and hands it out. What
    /// keeps it runs under the lock of the lookups, so that its secret cannot be named meanwhile.
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

    /// Hands out that there is no answer.
    fn end(&self) {
        self.leave(&mut self.under_way.lock());
        let found = NoAnswer::Ended.into();
        self.answer.send_replace(Some(LookupAnswer { found, after: self.after }));
    }

    /// Takes the lookup off the list; returns false if it was left behind before.
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

/// Counts one that waits in line.
pub(super) struct Line(Arc<UnderWay>);

impl Line {
    pub(super) fn join(under_way: &Arc<UnderWay>, list: &mut LookupList) -> Self {
        list.in_line += 1;
        Self(Arc::clone(under_way))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut list = self.0.lock();
        list.in_line = list.in_line.saturating_sub(1);
    }
}
