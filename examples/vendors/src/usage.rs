//! The usage of the demo's keys, counted in the database that has the keys.

use std::sync::Arc;

use tower_api_key::usage::UsageRecorder;
use tower_api_key_sqlx::SqlStore;

/// Counts the requests of all vendors' gates, and reads what was counted.
#[derive(Clone)]
pub(crate) struct Usage {
    pub(crate) recorder: UsageRecorder,
    pub(crate) reader: SqlStore,
}

impl Usage {
    /// Starts the task that writes the counts to a database.
    pub(crate) fn in_database(database: SqlStore) -> Self {
        let recorder = UsageRecorder::new();
        let writes = recorder.write_to(Arc::new(database.clone()));
        let failed = |error: &_| eprintln!("vendors: usage is not written: {error}");
        tokio::spawn(writes.report_to(failed));
        Self { recorder, reader: database }
    }

    /// Writes the last counts.
    pub(crate) async fn stop(&self) {
        if let Err(error) = self.recorder.stop().await {
            eprintln!("vendors: the last usage is not written: {error}");
        }
    }
}
