//! The end of a run that was asked for.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::SqlStore;

/// How long what is under way may take after the end was asked for, and then the giving up of a lease.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Learns whether a run is to end. Clones learn of the same end.
#[derive(Clone)]
pub(super) struct RunEnd(watch::Receiver<()>);

impl RunEnd {
    /// Returns the end of a run, and what asks for it when it is dropped.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (asks, asked) = watch::channel(());
        (asks, Self(asked))
    }

    /// Returns true if the run is to end.
    pub(super) fn has_come(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits until the run is to end.
    pub(super) async fn come(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Runs sweeps until `end` resolves, drops the one that is under way, and gives up its lease. A sweep of another process
/// then has not to wait for the lease's end.
pub(crate) async fn sweep_until(
    sweeps: impl Future<Output = ()>,
    end: impl Future<Output = ()>,
    store: &SqlStore,
    (lease, holder): (&str, &str),
) {
    {
        let (sweeps, end) = (pin!(sweeps), pin!(end));
        let (Either::Left(_) | Either::Right(_)) = select(sweeps, end).await;
    }
    give_up(store, lease, holder).await;
}

/// Gives a lease up. If the database does not answer in time, the lease lasts until its end.
pub(super) async fn give_up(store: &SqlStore, lease: &str, holder: &str) {
    let _ = timeout(GRACE, store.give_up(lease, holder)).await;
}
