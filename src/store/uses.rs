//! When secrets were last used. Requests record uses in a channel, and a task writes them every few seconds.

#[cfg(feature = "cache")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::background_writes::{BackgroundWrites, WriteFailures};
use super::manage::{KeyManager, KeyState};
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyRecord};

/// The precision of a last use.
#[cfg(feature = "cache")]
const MINUTE: Duration = Duration::from_secs(60);

/// The time between two writes.
const BETWEEN_WRITES: Duration = Duration::from_secs(5);

/// The most uses that wait to be written. Further uses are dropped, and recorded a minute later.
const WAITING: usize = 10_000;

/// Records uses, as soon as a task writes them.
#[derive(Default)]
pub(super) struct Uses(OnceLock<Sender<(KeyDigest, Timestamp)>>);

impl Uses {
    /// Records a use of a valid key, unless one was recorded within the last minute.
    #[cfg(feature = "cache")]
    pub(super) fn note(
        &self,
        digest: &KeyDigest,
        record: &KeyRecord,
        now: Timestamp,
        noted: &AtomicU64,
    ) {
        if self.0.get().is_none() {
            return;
        }
        let last = noted.load(Ordering::Relaxed);
        if now.since(Timestamp::from_unix_nanoseconds(last)) >= MINUTE {
            self.note_first(digest, record, now, (noted, last));
        }
    }

    /// Records the first use in a minute. `last` is the one before.
    // Cold, so that the other lookups of the minute do not pay for it.
    #[cfg(feature = "cache")]
    #[cold]
    fn note_first(
        &self,
        digest: &KeyDigest,
        record: &KeyRecord,
        now: Timestamp,
        (noted, last): (&AtomicU64, u64),
    ) {
        if !is_valid(record, now) {
            return;
        }
        // One of several requests at the same time records the use.
        let now_noted = now.unix_nanoseconds();
        let swapped = noted.compare_exchange(last, now_noted, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_ok() {
            self.send(digest, now);
        }
    }

    /// Records a use.
    pub(super) fn send(&self, digest: &KeyDigest, now: Timestamp) {
        if let Some(sender) = self.0.get() {
            // A full channel drops the use. No request waits.
            let _ = sender.try_send((*digest, now));
        }
    }

    /// Writes the uses that are recorded from now on, until `self` is dropped. A second call returns a future
    /// that ends at once.
    pub(super) fn write_to(&self, manager: Arc<dyn KeyManager>) -> BackgroundWrites {
        let (sender, receiver) = channel(WAITING);
        let first = self.0.set(sender).is_ok();
        BackgroundWrites::new(async move |failures| {
            if first {
                write(receiver, &*manager, failures).await;
            }
        })
    }
}

/// Returns true if the key is valid at an instant: a request with another one does not use it.
pub(super) fn is_valid(record: &KeyRecord, now: Timestamp) -> bool {
    KeyState::of(record, now) == KeyState::Active
        && record.not_before().is_none_or(|begins| begins <= now)
}

async fn write(
    mut noted: Receiver<(KeyDigest, Timestamp)>,
    manager: &dyn KeyManager,
    mut failures: WriteFailures,
) {
    let mut uses = Vec::new();
    // The sender is dropped with the cache.
    while noted.recv_many(&mut uses, WAITING).await > 0 {
        let failed = failures.note(&manager.note_uses(uses.clone()).await);
        if !failed || uses.len() >= WAITING {
            uses.clear();
        }
        tokio::time::sleep(BETWEEN_WRITES).await;
    }
}
