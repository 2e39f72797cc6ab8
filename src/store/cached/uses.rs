//! When secrets were last used: noted beside the request, and written now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::manage::KeyManager;
use crate::clock::Timestamp;
use crate::key::KeyDigest;

/// How exactly a last use is known.
const MINUTE: Duration = Duration::from_secs(60);

/// How often what was noted is written.
const BETWEEN_WRITES: Duration = Duration::from_secs(5);

/// Uses that wait to be written; more are dropped, and noted a minute later.
const WAITING: usize = 10_000;

/// Notes uses, once somebody writes them.
#[derive(Default)]
pub(super) struct Uses(OnceLock<Sender<(KeyDigest, Timestamp)>>);

impl Uses {
    /// Notes a use, unless one was noted within a minute.
    pub(super) fn note(&self, digest: &KeyDigest, now: Timestamp, noted: &AtomicU64) {
        let Some(sender) = self.0.get() else { return };
        let last = noted.load(Ordering::Relaxed);
        if now.since(Timestamp::from_unix_nanoseconds(last)) < MINUTE {
            return;
        }
        // Of several requests at once, one notes it.
        let now_noted = now.unix_nanoseconds();
        let swapped = noted.compare_exchange(last, now_noted, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_ok() {
            // A full queue drops it; no request waits for this.
            let _ = sender.try_send((*digest, now));
        }
    }

    /// Writes what is noted from now on, until these uses are dropped; once.
    pub(super) fn write_to(
        &self,
        manager: Arc<dyn KeyManager>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (sender, receiver) = channel(WAITING);
        let first = self.0.set(sender).is_ok();
        async move {
            if first {
                write(receiver, &*manager).await;
            }
        }
    }
}

async fn write(mut noted: Receiver<(KeyDigest, Timestamp)>, manager: &dyn KeyManager) {
    let mut uses = Vec::new();
    // The sender goes with the cache.
    while noted.recv_many(&mut uses, WAITING).await > 0 {
        if manager.note_uses(uses.clone()).await.is_ok() || uses.len() >= WAITING {
            uses.clear();
        }
        tokio::time::sleep(BETWEEN_WRITES).await;
    }
}
