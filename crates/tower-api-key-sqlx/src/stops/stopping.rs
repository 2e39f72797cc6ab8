//! The statement at which a test ends its process.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::watched_pool::{WatchedStep, Watcher};

/// The place at which this process ends.
#[derive(Clone)]
pub(crate) struct StopAt {
    left: Arc<AtomicI64>,
    /// Whether statements that return rows count: some of them write, too.
    counts_reads: bool,
}

impl StopAt {
    /// Ends at the write with this number, from 0.
    pub(crate) fn write(number: i64) -> Self {
        Self { left: Arc::new(AtomicI64::new(number)), counts_reads: false }
    }

    /// Ends at the statement with this number, from 0.
    pub(crate) fn statement(number: i64) -> Self {
        Self { counts_reads: true, ..Self::write(number) }
    }

    pub(crate) fn never() -> Self {
        Self::write(i64::MAX)
    }

    /// Ends the process without any tidying up, as `kill -9` does.
    pub(crate) fn pass(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            process::abort();
        }
    }
}

impl Watcher for StopAt {
    async fn at(&self, step: WatchedStep) {
        let is_read =
            matches!(step, WatchedStep::Begin | WatchedStep::Fetch | WatchedStep::FetchEach);
        if !is_read || self.counts_reads {
            self.pass();
        }
    }
}
