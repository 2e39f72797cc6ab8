//! The lookups that are under way or wait in line, as all of them share them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::answer::{AnswerSender, Waiter};
use super::notices::Notices;
use crate::key::KeyDigest;
use crate::sync::{Mutex, MutexGuard, lock};

/// The lookups that wait or are under way, and whether the store failed.
pub(super) struct UnderWay {
    list: Mutex<LookupList>,
    /// One permit for each lookup that may ask the store at the same time.
    pub(super) permits: Arc<Semaphore>,
    /// Whether the store failed at the latest lookup that has ended.
    failing: watch::Sender<bool>,
}

/// The lookup of each secret that others may join, and whose answer is to be kept.
#[derive(Default)]
pub(super) struct LookupList {
    lookups: HashMap<KeyDigest, Listed>,
    /// The number of lookups that there have been.
    made: u64,
    pub(super) in_line: usize,
}

struct Listed {
    number: u64,
    /// The latest notice before the store was asked; `None` while the lookup is in line.
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

    /// Keeps every other thread from changing what is kept, and from beginning or ending a lookup.
    pub(super) fn lock(&self) -> MutexGuard<'_, LookupList> {
        lock(&self.list)
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn is_failing(&self) -> bool {
        *self.failing.borrow()
    }

    /// Notes whether the store failed.
    pub(super) fn note(&self, failed: bool) {
        let changes = |failing: &mut bool| std::mem::replace(failing, failed) != failed;
        self.failing.send_if_modified(changes);
    }

    /// Waits until a lookup fails, unless the latest has.
    pub(super) async fn fails(&self) {
        let mut failing = self.failing.subscribe();
        // It is there as long as this is.
        let _ = failing.wait_for(|failing| *failing).await;
    }
}

impl LookupList {
    /// Lists a lookup, in place of an earlier one that no request should join. Returns its number.
    pub(super) fn insert(&mut self, digest: KeyDigest, answer: AnswerSender) -> u64 {
        self.made += 1;
        self.lookups.insert(digest, Listed { number: self.made, after: None, answer });
        self.made
    }

    /// Joins the lookup of a secret, if there is one to be joined.
    pub(super) fn join(&self, digest: &KeyDigest, notices: &Notices) -> Option<Waiter> {
        let listed = self.joinable(digest, notices)?;
        Some(Waiter::new(listed.answer.subscribe(), notices.latest()))
    }

    /// Returns true if there is a lookup of a secret to be joined.
    pub(super) fn is_joinable(&self, digest: &KeyDigest, notices: &Notices) -> bool {
        self.joinable(digest, notices).is_some()
    }

    /// Returns the lookup of a secret, unless anything may have changed since it asked.
    fn joinable(&self, digest: &KeyDigest, notices: &Notices) -> Option<&Listed> {
        let listed = self.lookups.get(digest)?;
        let is_doubtful = |after| notices.names_everything_after(after);
        (!listed.after.is_some_and(is_doubtful)).then_some(listed)
    }

    /// Returns true if the lookup of a secret has not asked the store yet.
    pub(super) fn is_in_line(&self, digest: &KeyDigest) -> bool {
        self.lookups.get(digest).is_some_and(|listed| listed.after.is_none())
    }

    /// Notes after which notice a lookup asks the store.
    pub(super) fn asks(&mut self, digest: &KeyDigest, number: u64, after: u64) {
        if let Some(listed) = self.lookups.get_mut(digest)
            && listed.number == number
        {
            listed.after = Some(after);
        }
    }

    /// Keeps later requests from joining the present lookup of a secret, and its answer from being kept.
    /// One in line has asked nothing yet, and stays.
    pub(super) fn leave_behind(&mut self, digest: &KeyDigest) {
        if self.lookups.get(digest).is_some_and(|listed| listed.after.is_some()) {
            self.lookups.remove(digest);
        }
    }

    /// Takes a lookup off the list; returns false if it was left behind before.
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
