//! The shared list of the lookups that run or wait in the queue.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::answer::{AnswerSender, Waiter};
use super::notices::Notices;
use crate::key::KeyDigest;
use crate::sync::{Mutex, MutexGuard, lock};

/// The lookups that run or wait, and whether the store failed.
pub(super) struct UnderWay {
    list: Mutex<LookupList>,
    /// One permit for each lookup that may ask the store at the same time.
    pub(super) permits: Arc<Semaphore>,
    /// Whether the latest finished lookup failed.
    failing: watch::Sender<bool>,
}

/// The lookup of each secret. Requests may join a listed lookup, and its answer is kept.
#[derive(Default)]
pub(super) struct LookupList {
    lookups: HashMap<KeyDigest, Listed>,
    /// The number of lookups so far.
    made: u64,
    pub(super) queued: usize,
}

struct Listed {
    number: u64,
    /// The latest notice before the store was asked. `None` while the lookup is in the queue.
    after: Option<u64>,
    answer: AnswerSender,
}

impl UnderWay {
    pub(super) fn new(at_once: usize) -> Self {
        let permits = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            list: Mutex::default(),
            permits: Arc::new(Semaphore::new(permits)),
            failing: watch::Sender::new(false),
        }
    }

    /// Locks the list. While it is locked, no other thread changes cached records, or begins or ends a
    /// lookup.
    pub(super) fn lock(&self) -> MutexGuard<'_, LookupList> {
        lock(&self.list)
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn is_failing(&self) -> bool {
        *self.failing.borrow()
    }

    /// Records whether the latest lookup failed.
    pub(super) fn note(&self, failed: bool) {
        let changes = |failing: &mut bool| std::mem::replace(failing, failed) != failed;
        self.failing.send_if_modified(changes);
    }

    /// Waits until a lookup fails. Returns at once if the latest lookup failed.
    pub(super) async fn wait_for_failure(&self) {
        let mut failing = self.failing.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = failing.wait_for(|failing| *failing).await;
    }
}

impl LookupList {
    /// Adds a lookup, and returns its number. It replaces an earlier one that no request should join.
    pub(super) fn insert(&mut self, digest: KeyDigest, answer: AnswerSender) -> u64 {
        self.made += 1;
        self.lookups.insert(digest, Listed { number: self.made, after: None, answer });
        self.made
    }

    /// Joins the lookup of a secret. Returns `None` if no lookup can be joined.
    pub(super) fn join(&self, digest: &KeyDigest, notices: &Notices) -> Option<Waiter> {
        let listed = self.joinable(digest, notices)?;
        Some(Waiter::new(listed.answer.subscribe(), notices.latest()))
    }

    /// Returns true if a lookup of the secret can be joined.
    pub(super) fn is_joinable(&self, digest: &KeyDigest, notices: &Notices) -> bool {
        self.joinable(digest, notices).is_some()
    }

    /// Returns the lookup of a secret, unless a notice about everything came since it asked.
    fn joinable(&self, digest: &KeyDigest, notices: &Notices) -> Option<&Listed> {
        let listed = self.lookups.get(digest)?;
        let is_doubtful = |after| notices.names_everything_after(after);
        (!listed.after.is_some_and(is_doubtful)).then_some(listed)
    }

    /// Returns true if the lookup of a secret has not asked the store yet.
    pub(super) fn is_queued(&self, digest: &KeyDigest) -> bool {
        self.lookups.get(digest).is_some_and(|listed| listed.after.is_none())
    }

    /// Records after which notice a lookup asks the store.
    pub(super) fn asks(&mut self, digest: &KeyDigest, number: u64, after: u64) {
        if let Some(listed) = self.lookups.get_mut(digest)
            && listed.number == number
        {
            listed.after = Some(after);
        }
    }

    /// Takes the lookup of a secret off the list, so that no request joins it and its answer is not kept. A
    /// queued lookup has not asked the store yet, and stays.
    pub(super) fn detach(&mut self, digest: &KeyDigest) {
        if self.lookups.get(digest).is_some_and(|listed| listed.after.is_some()) {
            self.lookups.remove(digest);
        }
    }

    /// Takes a lookup off the list. Returns false if it was detached or replaced before.
    pub(super) fn remove(&mut self, digest: KeyDigest, number: u64) -> bool {
        match self.lookups.entry(digest) {
            Entry::Occupied(listed) if listed.get().number == number => {
                listed.remove();
                true
            }
            _ => false,
        }
    }
}
