//! The place that a connection takes up, and what keeps it open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// What is under way on one connection.
pub(super) struct Activity {
    _room: OwnedSemaphorePermit,
    record: Mutex<ActivityRecord>,
}

struct ActivityRecord {
    in_flight: usize,
    /// When the last exchange ended, or the connection began.
    silent_since: Instant,
    has_begun: bool,
}

impl Activity {
    pub(super) fn new(room: OwnedSemaphorePermit) -> Arc<Self> {
        let silent_since = Instant::now();
        let record = ActivityRecord { in_flight: 0, silent_since, has_begun: false };
        Arc::new(Self { _room: room, record: Mutex::new(record) })
    }

    /// Returns true if a request has come.
    pub(super) fn has_begun(&self) -> bool {
        self.record().has_begun
    }

    /// Returns when the connection will have been silent for this long, if nothing more comes.
    pub(super) fn silent_at(&self, limit: Duration) -> Instant {
        let record = self.record();
        let since = if record.in_flight > 0 { Instant::now() } else { record.silent_since };
        since + limit
    }

    fn record(&self) -> MutexGuard<'_, ActivityRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the place of a connection among those that a listener has open. A request has one until its answer is sent. A
/// tunnel has one until it ends.
pub(crate) struct Place(Arc<Activity>);

impl Place {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        let mut record = activity.record();
        record.in_flight += 1;
        record.has_begun = true;
        Self(Arc::clone(activity))
    }
}

impl Clone for Place {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut record = self.0.record();
        record.in_flight -= 1;
        record.silent_since = Instant::now();
    }
}
