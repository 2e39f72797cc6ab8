//! How a store asks its database.

use std::time::Duration;

/// The connections that a store opens at most, unless set.
const MOST_CONNECTIONS: u32 = 10;

/// How long a lookup may take, with the wait for a connection, unless set.
const LOOKUP: Duration = Duration::from_secs(2);

/// How long one statement of a change may take, with the wait for those that make another change,
/// unless set.
const CHANGE: Duration = Duration::from_secs(30);

/// A pool adds this to the present instant, which a longer one could overflow.
const LONGEST: Duration = Duration::from_secs(86_400);

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) max_connections: u32,
    pub(super) lookup_timeout: Duration,
    pub(super) change_timeout: Duration,
    /// Whether a SQLite file is made that is not there.
    pub(super) creates: bool,
}

impl Settings {
    /// Returns how long the pool itself waits for a connection; who waits for longer asks again.
    pub(super) fn pool_timeout(&self) -> Duration {
        self.lookup_timeout.min(LONGEST)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: MOST_CONNECTIONS,
            lookup_timeout: LOOKUP,
            change_timeout: CHANGE,
            creates: false,
        }
    }
}
