//! How far the copy is, for those that wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

use super::freshness::Proof;

/// How far the copy is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Whether the store was copied once.
    pub(super) is_copied: bool,
    /// The last request to ask that came before the latest question, if the answer was no older than the question.
    pub(super) answered: u64,
    /// The last proof.
    pub(super) proof: Option<Proof>,
}

/// A request that the feed is asked now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    number: u64,
    at: Proof,
}

impl Request {
    /// Returns true if the copy holds every change that was made before the request.
    pub(super) fn is_met(self, progress: &Progress) -> bool {
        progress.answered >= self.number || progress.proof.is_some_and(|proof| proof > self.at)
    }
}

/// Wakes the task that follows the feed.
pub(super) struct Wake {
    notify: Notify,
    requests: AtomicU64,
    pub(super) is_followed: AtomicBool,
    pub(super) progress: watch::Sender<Progress>,
}

impl Wake {
    pub(super) fn new() -> Self {
        Self {
            notify: Notify::new(),
            requests: AtomicU64::new(0),
            is_followed: AtomicBool::new(false),
            progress: watch::Sender::new(Progress::default()),
        }
    }

    /// Begins to follow. Returns `None` if a task follows already.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Following> {
        let follows = self.is_followed.swap(true, Ordering::AcqRel);
        (!follows).then(|| Following(Arc::clone(self)))
    }

    /// Makes the task look soon, as after a notice.
    pub(super) fn hint(&self) {
        self.notify.notify_one();
    }

    /// Makes the task ask at once.
    pub(super) fn request(&self, at: Proof) -> Request {
        let number = self.requests.fetch_add(1, Ordering::AcqRel) + 1;
        self.notify.notify_one();
        Request { number, at }
    }

    /// Returns the number of the latest request.
    pub(super) fn requested(&self) -> u64 {
        self.requests.load(Ordering::Acquire)
    }

    /// Waits until there is a hint or a request.
    pub(super) async fn woken(&self) {
        self.notify.notified().await;
    }
}

/// The one task that follows the feed.
pub(super) struct Following(Arc<Wake>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.is_followed.store(false, Ordering::Release);
    }
}
