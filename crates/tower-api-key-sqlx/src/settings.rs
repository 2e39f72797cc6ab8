//! The settings of a store.

use std::time::Duration;

use super::dialect::Dialect;
use super::failure::Failure;
use tower_api_key::store::StoreError;

/// The default of `max_connections` for SQLite.
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
pub(super) const MOST_LOCAL: u32 = 10;

/// The default of `max_connections` for a server, which all nodes share.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
pub(super) const MOST_REMOTE: u32 = 4;

/// The default of `max_lifetime`.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
pub(super) const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The default of `idle_timeout`.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
pub(super) const IDLE: Duration = Duration::from_secs(10 * 60);

/// The default of `lookup_timeout`, which includes the wait for a connection.
const LOOKUP: Duration = Duration::from_secs(2);

/// The default of `change_timeout`, which includes the wait for other changes.
const CHANGE: Duration = Duration::from_secs(30);

/// The longest timeout of a pool. The pool adds its timeout to the current instant, which could overflow.
const LONGEST: Duration = Duration::from_secs(86_400);

#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The most connections; none means the database's default.
    pub(super) max_connections: Option<u32>,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) lookup_timeout: Duration,
    pub(super) change_timeout: Duration,
    /// Whether a pooler in transaction mode stands before the server.
    pub(super) behind_pooler: bool,
    /// How old a standby's data may be.
    pub(super) max_lag: Option<Duration>,
    /// Whether a missing SQLite file is created.
    pub(super) creates: bool,
}

impl Settings {
    /// Returns an error if the settings contradict each other, the database, or a pool that was handed in.
    pub(super) fn check(&self, dialect: Dialect, is_handed_in: bool) -> Result<(), StoreError> {
        let is_local = dialect == Dialect::Sqlite;
        let has_times = self.max_lifetime.is_some() || self.idle_timeout.is_some();
        let wrong = if self.max_connections == Some(0) {
            "`max_connections` must be 1 or more"
        } else if self.max_connections.is_some() && is_handed_in {
            "leave out `max_connections`: a pool of the application has its own number of connections"
        } else if has_times && is_handed_in {
            "leave out `max_lifetime` and `idle_timeout`: a pool of the application has its own times"
        } else if has_times && is_local {
            "SQLite has no server: leave out `max_lifetime` and `idle_timeout`"
        } else if self.behind_pooler && is_local {
            "SQLite has no poolers: leave out `behind_pooler`"
        } else if self.max_lag.is_some() && is_local {
            "SQLite has no standby servers: leave out `max_lag`"
        } else {
            return Ok(());
        };
        Err(StoreError::new(Failure::Setting(wrong)))
    }

    /// Returns how long the pool itself waits for a connection. A longer wait asks the pool again.
    pub(super) fn pool_timeout(&self) -> Duration {
        self.lookup_timeout.min(LONGEST)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: None,
            max_lifetime: None,
            idle_timeout: None,
            lookup_timeout: LOOKUP,
            change_timeout: CHANGE,
            behind_pooler: false,
            max_lag: None,
            creates: false,
        }
    }
}
