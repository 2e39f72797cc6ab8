//! The sweep of policies while a file with management serves.

use tower_api_key::store::StoreError;
use tower_api_key_sqlx::{PolicyOutcome, PolicySweep, SqlStore};

use crate::background_log;
use crate::error::OpenError;
use crate::tasks::{BackgroundTasks, asked};

/// The sweep of policies: where people set them over HTTP, their rules of time hold without a program beside.
pub(crate) struct RunningPolicies {
    sweep: PolicySweep,
    tasks: BackgroundTasks,
}

impl RunningPolicies {
    /// Prepares the sweep of a database, and starts nothing.
    pub(crate) fn of(database: &SqlStore, file: &str) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Policies { file: file.to_owned(), source };
        let sweep = PolicySweep::new(database.clone()).map_err(failed)?.report_to(report);
        Ok(Self { sweep, tasks: BackgroundTasks::default() })
    }

    /// Begins to sweep, unless it does.
    pub(crate) fn start(&self) {
        self.tasks.start(|tasks, end| {
            tasks.spawn(self.sweep.clone().run_until(asked(end)));
        });
    }

    /// Ends the sweep, and gives up its lease.
    pub(crate) async fn end(&self) {
        self.tasks.end().await;
    }
}

/// Logs what a sweep did, and why one failed.
fn report(outcome: &Result<PolicyOutcome, StoreError>) {
    match outcome {
        Err(error) => background_log::failed("policies cannot be swept", error),
        #[cfg(feature = "tracing")]
        Ok(done) if done.switched_off + done.expiries_set + done.reminders > 0 => {
            let PolicyOutcome { switched_off, expiries_set, reminders, .. } = *done;
            tracing::info!(
                switched_off,
                expiries_set,
                reminders,
                "a sweep of policies changed keys"
            );
        }
        Ok(_) => {}
    }
}
