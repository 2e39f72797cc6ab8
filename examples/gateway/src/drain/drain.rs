//! What must end before the gateway can.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The connections and tunnels that are open, and the word that the gateway ends.
#[derive(Clone, Default)]
pub(crate) struct Drain {
    ending: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// Returns the word that the gateway ends, for a task to wait for.
    pub(crate) fn ending(&self) -> CancellationToken {
        self.ending.clone()
    }

    /// Starts the task of a connection or a tunnel.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Announces the end to every connection and tunnel.
    pub(crate) fn begin(&self) {
        self.ending.cancel();
        self.tasks.close();
    }

    /// Ends when all of them have ended, after [`begin`](Self::begin).
    pub(crate) async fn ended(&self) {
        self.tasks.wait().await;
    }

    /// Returns the number of open connections and tunnels.
    pub(crate) fn open(&self) -> usize {
        self.tasks.len()
    }
}
