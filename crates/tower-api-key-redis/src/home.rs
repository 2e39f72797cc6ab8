//! The runtime on which the tasks of connections run.

use tokio::runtime::Handle;

use super::failure::Failure;

/// The runtime of the tasks: the one that the limiter was built on. Outside of a runtime, it is the runtime of the
/// request that needs the task.
#[derive(Debug, Clone)]
pub(super) struct Home(Option<Handle>);

impl Home {
    /// Returns the runtime that this is called on, if there is one.
    pub(super) fn here() -> Self {
        Self(Handle::try_current().ok())
    }

    /// Runs a task.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let home = self.0.clone().or_else(|| Handle::try_current().ok());
        home.ok_or(Failure::RuntimeEnded)?.spawn(task);
        Ok(())
    }
}
