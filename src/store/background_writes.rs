//! The task that writes what requests recorded, and whom it tells when it cannot.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::manage::ManageError;

type Report = Box<dyn Fn(&ManageError) + Send + Sync>;

/// Writes to a store what requests recorded. Spawn it.
///
/// No client learns that a write fails, because none waits for it. So let the task tell a log or an alarm:
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::store::{MemoryStore, Rehasher};
///
/// # async fn example(database: MemoryStore) {
/// let rehasher = Rehasher::new();
/// let writes = rehasher.write_to(Arc::new(database));
/// tokio::spawn(writes.report_to(|error| eprintln!("digests cannot be written: {error}")));
/// # }
/// ```
#[must_use = "nothing is written until this is spawned"]
pub struct BackgroundWrites {
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
    failures: WriteFailures,
}

impl BackgroundWrites {
    /// Creates the task from a function that writes, and tells the failures how each write ended.
    pub(super) fn new<F>(write: impl FnOnce(WriteFailures) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let failures = WriteFailures::default();
        Self { task: Box::pin(write(failures.clone())), failures }
    }

    /// Calls a function when a write fails after one that did not. So an outage is told once.
    ///
    /// A second function is not called. What was not written is kept for the next write, as far as the recorder says.
    pub fn report_to(self, report: impl Fn(&ManageError) + Send + Sync + 'static) -> Self {
        let _ = self.failures.report.set(Box::new(report));
        self
    }
}

impl Future for BackgroundWrites {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.task.as_mut().poll(context)
    }
}

impl fmt::Debug for BackgroundWrites {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BackgroundWrites").finish_non_exhaustive()
    }
}

/// Reports the first of several failures in a row.
#[derive(Clone, Default)]
pub(super) struct WriteFailures {
    report: Arc<OnceLock<Report>>,
    is_failing: bool,
}

impl WriteFailures {
    /// Returns true if a write failed. Reports the failure if the write before did not fail.
    pub(super) fn note<T>(&mut self, written: &Result<T, ManageError>) -> bool {
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
        if let (Err(error), false, Some(report)) = (written, was_failing, self.report.get()) {
            report(error);
        }
        self.is_failing
    }
}
