//! Tasks that run from the start of a front door to its end.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

/// Tasks that run from a start to an end.
#[derive(Default)]
pub(crate) struct BackgroundTasks(Mutex<Option<(watch::Sender<()>, JoinSet<()>)>>);

/// Resolves when the tasks are asked to end.
pub(crate) type AskedToEnd = watch::Receiver<()>;

impl BackgroundTasks {
    /// Begins the tasks that a function spawns, unless they run.
    pub(crate) fn start(&self, spawn: impl FnOnce(&mut JoinSet<()>, AskedToEnd)) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return;
        }
        let (asks, end) = watch::channel(());
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, end);
        *running = Some((asks, tasks));
    }

    /// Asks the tasks to end, and waits until nothing of them is under way.
    pub(crate) async fn end(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((asks, mut tasks)) = running else { return };
        drop(asks);
        while tasks.join_next().await.is_some() {}
    }
}

/// Waits until the tasks are asked to end.
pub(crate) async fn asked(mut end: AskedToEnd) {
    drop(end.changed().await);
}
