//! The observer that counts requests.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::cells::{CellRoom, Cells};
use super::recorder_builder::UsageRecorderBuilder;
use super::sink::UsageSink;
use super::writing::Writing;
use crate::clock::Clock;
use crate::decision::{ObservedRequest, RequestEnd};
use crate::service::Observer;
use crate::store::{BackgroundWrites, StoreError};
use crate::sync::{Mutex, lock};

/// Counts the requests of a gate in memory, and writes them in batches.
///
/// Clones count together. Several gates may have the same recorder. [The module's page](super) has the contracts.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::store::{MemoryStore, StoreError};
/// use tower_api_key::usage::{UsageRecorder, UsageSink};
/// use tower_api_key::{ApiKeyLayer, Profile};
///
/// async fn serve(database: Arc<dyn UsageSink>) -> Result<(), Box<dyn std::error::Error>> {
///     let usage = UsageRecorder::new();
///     let writes = usage.write_to(database);
///     tokio::spawn(writes.report_to(|error| eprintln!("usage is not written: {error}")));
///     let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
///     let layer = builder.observer(usage.clone()).build()?;
///     // Serve with the layer until the last request has ended, and then:
///     usage.stop().await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct UsageRecorder(Arc<Recording>);

/// What the clones of a recorder share.
struct Recording {
    cells: Cells,
    every: Duration,
    clock: Arc<dyn Clock>,
    sink: OnceLock<Arc<dyn UsageSink>>,
    writing: tokio::sync::Mutex<Writing>,
    /// Wakes the task that writes: the recorder was stopped, or has little room.
    wake: Notify,
    stopped: AtomicBool,
    overflowed: AtomicU64,
    failed: AtomicU64,
    failure: Mutex<Option<Arc<StoreError>>>,
}

impl UsageRecorder {
    /// Returns a recorder that writes every 5 seconds and holds at most 65,536 counts.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder, to change settings.
    pub fn builder() -> UsageRecorderBuilder {
        UsageRecorderBuilder::new()
    }

    pub(super) fn of(settings: UsageRecorderBuilder) -> Self {
        let UsageRecorderBuilder { every, most, clock } = settings;
        Self(Arc::new(Recording {
            cells: Cells::new(most),
            every,
            clock,
            sink: OnceLock::new(),
            writing: tokio::sync::Mutex::new(Writing::default()),
            wake: Notify::new(),
            stopped: AtomicBool::new(false),
            overflowed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failure: Mutex::new(None),
        }))
    }

    /// Writes to a sink what is counted, until the recorder is stopped, or dropped with all layers that have it. Spawn
    /// the future once; a second one ends at once.
    ///
    /// A batch that could not be written is written again with the next one.
    pub fn write_to(&self, sink: Arc<dyn UsageSink>) -> BackgroundWrites<StoreError> {
        let first = self.0.sink.set(sink).is_ok();
        let recording = Arc::clone(&self.0);
        BackgroundWrites::new(async move |mut failures| {
            while first && !recording.stopped.load(Ordering::Acquire) {
                let _ = timeout(recording.every, recording.wake.notified()).await;
                let is_last = Arc::strong_count(&recording) == 1;
                // The failure is also kept for `failure`, and the batch for the next write.
                failures.note(&recording.write().await);
                if is_last {
                    break;
                }
            }
        })
    }

    /// Writes what was counted so far, and waits until it is written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the sink cannot answer, or if [`write_to`](Self::write_to) was not called. The counts stay in
    /// memory.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.0.write().await
    }

    /// Writes what was counted so far, and ends the task of [`write_to`](Self::write_to). Call this once the server has
    /// ended its last request: what is counted afterwards stays in memory.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush). A second call tries again.
    pub async fn stop(&self) -> Result<(), StoreError> {
        self.0.stopped.store(true, Ordering::Release);
        self.0.wake.notify_one();
        self.flush().await
    }

    /// Returns how many requests were counted without key and route, because there was no room for their count.
    pub fn overflowed(&self) -> u64 {
        self.0.overflowed.load(Ordering::Relaxed)
    }

    /// Returns how many writes have failed.
    pub fn failed_writes(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Returns why the last write failed. `None` if it succeeded.
    pub fn failure(&self) -> Option<Arc<StoreError>> {
        lock(&self.0.failure).clone()
    }
}

impl Recording {
    async fn write(&self) -> Result<(), StoreError> {
        let Some(sink) = self.sink.get() else {
            return Err(StoreError::new("usage is not written: spawn `UsageRecorder::write_to`"));
        };
        let mut writing = self.writing.lock().await;
        let written = writing.write(sink, &self.cells, self.clock.now()).await;
        *lock(&self.failure) = None;
        if let Err(error) = written {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let error = Arc::new(error);
            *lock(&self.failure) = Some(Arc::clone(&error));
            return Err(StoreError::new(error));
        }
        Ok(())
    }
}

impl Observer for UsageRecorder {
    fn observes_requests(&self) -> bool {
        true
    }

    fn observes_admissions(&self) -> bool {
        false
    }

    fn observes_latencies(&self) -> bool {
        false
    }

    fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
        match self.0.cells.count(request) {
            CellRoom::Found => {}
            CellRoom::Filling => self.0.wake.notify_one(),
            CellRoom::NotFound => drop(self.0.overflowed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl Default for UsageRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UsageRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UsageRecorder").finish_non_exhaustive()
    }
}
