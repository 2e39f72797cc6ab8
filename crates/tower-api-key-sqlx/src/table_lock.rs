//! The lock under which a migration extends tables that are in use.
//!
//! In PostgreSQL every lookup waits behind a migration that waits for a table: for a long transaction of
//! another program, such as `pg_dump`. Two that wait for each other are a deadlock, and the server fails one
//! of them, which may be a lookup. So a migration takes all tables before it changes one, waits only shortly,
//! and otherwise lets the others pass and tries again.

use std::time::Duration;

use tokio::time::Instant;

use super::SqlStore;
use super::deadline::after;
use super::failure::Failure;
use super::session::Session;
use tower_api_key::store::StoreError;

/// Waits for each table for less than the server's `deadlock_timeout`, which is 1 second by default.
const LOCK: &str = "SET LOCAL lock_timeout = '100ms'; \
     LOCK TABLE {changes}, {secrets}, {keys}, {accounts}, {migrations} IN ACCESS EXCLUSIVE MODE";

/// The pause after an attempt, in which the others pass.
const PAUSE: Duration = Duration::from_millis(200);

/// The tries of one migration.
pub(super) struct LockTries {
    end: Instant,
}

impl LockTries {
    /// Returns the tries of a migration that begins now.
    pub(super) fn new(limit: Duration) -> Self {
        Self { end: after(limit) }
    }

    /// Waits, and returns true if the migration should be tried again, because a table was in use.
    pub(super) async fn again(&self, error: &StoreError) -> bool {
        // Codes: the lock was not available in time; a deadlock.
        let in_use = matches!(code(error), Some("55P03" | "40P01"));
        let next = Instant::now() + PAUSE;
        if !in_use || next >= self.end {
            return false;
        }
        tokio::time::sleep_until(next).await;
        true
    }
}

impl SqlStore {
    /// Locks all tables until the transaction ends.
    pub(super) async fn lock_tables(&self, session: &mut Session) -> Result<(), StoreError> {
        session.script(self.tables.fill(LOCK)).await
    }
}

/// Returns the database's code for an error.
pub(super) fn code(error: &StoreError) -> Option<&str> {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    match cause {
        Some(Failure::Database { code, .. }) => code.as_deref(),
        _ => None,
    }
}
