//! The task that writes what requests recorded, and whom it tells when it cannot.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::manage::ManageError;

type Report<E> = Box<dyn Fn(&E) + Send + Sync>;

/// Writes what requests recorded: last uses, digests by a newer pepper, usage, events. Spawn it.
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
pub struct BackgroundWrites<E = ManageError> {
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
    report: Arc<OnceLock<Report<E>>>,
}

impl<E> BackgroundWrites<E> {
    /// Creates the task from a function that writes, and tells the failures how each write ended.
    pub(crate) fn new<F>(write: impl FnOnce(WriteFailures<E>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let report = Arc::default();
        let failures = WriteFailures { report: Arc::clone(&report), is_failing: false };
        Self { task: Box::pin(write(failures)), report }
    }

    /// Calls a function when a write fails after one that did not. So an outage is told once.
    ///
    /// A second function is not called. What was not written is kept for the next write, as far as the recorder says.
    pub fn report_to(self, report: impl Fn(&E) + Send + Sync + 'static) -> Self {
        let _ = self.report.set(Box::new(report));
        self
    }
}

impl<E> Future for BackgroundWrites<E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.task.as_mut().poll(context)
    }
}

impl<E> fmt::Debug for BackgroundWrites<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BackgroundWrites").finish_non_exhaustive()
    }
}

/// Reports the first of several failures in a row.
pub(crate) struct WriteFailures<E = ManageError> {
    report: Arc<OnceLock<Report<E>>>,
    is_failing: bool,
}

impl<E> WriteFailures<E> {
    /// Returns true if a write failed. Reports the failure if the write before did not fail.
    pub(crate) fn note<T>(&mut self, written: &Result<T, E>) -> bool {
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
        if let (Err(error), false, Some(report)) = (written, was_failing, self.report.get()) {
            report(error);
        }
        self.is_failing
    }
}
