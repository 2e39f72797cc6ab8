//! How much older than the question an answer may be.

use std::time::Duration;

use super::super::connect::SqlStore;
use super::super::driver::Columns;
use super::super::failure::Failure;
use super::super::row;
use tower_api_key::store::StoreError;

/// What was proven of a standby before a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProvenAge(Option<Duration>);

impl SqlStore {
    /// Returns how old the data of a standby may be for a statement that begins after this call.
    #[cfg(feature = "postgres")]
    pub(super) fn proven_age(&self) -> ProvenAge {
        ProvenAge(self.freshness.as_ref().and_then(|freshness| freshness.age()))
    }

    /// Proves nothing, because SQLite has no standby servers.
    #[cfg(not(feature = "postgres"))]
    #[allow(clippy::unused_self)] // As with PostgreSQL.
    pub(super) const fn proven_age(&self) -> ProvenAge {
        ProvenAge(None)
    }
}

impl ProvenAge {
    /// Reads the column `standby`. A primary answers with its latest state.
    pub(super) fn of(self, row: &dyn Columns) -> Result<Duration, StoreError> {
        if row::number(row, "standby")? == 0 {
            return Ok(Duration::ZERO);
        }
        self.0.ok_or_else(|| StoreError::new(Failure::Unproven))
    }
}
