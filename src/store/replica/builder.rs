//! The builder of a replica.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::feed::KeyFeed;
use super::replicated::Replica;
use super::settings::{FollowSettings, WhenStale};
use crate::clock::Clock;
use crate::error::ConfigError;

/// Builds a [`Replica`].
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::ConfigError;
/// use tower_api_key::store::{KeyFeed, Replica, WhenStale};
///
/// fn build<F: KeyFeed>(database: F) -> Result<Replica<F>, ConfigError> {
///     Replica::builder(database)
///         .poll_interval(Duration::from_millis(500))
///         .staleness(Duration::from_secs(2)) // how long a revoked key may pass
///         .when_stale(WhenStale::ServeFor(Duration::from_secs(60))) // longer in an outage
///         .build()
/// }
/// ```
#[derive(Clone)]
pub struct ReplicaBuilder<F> {
    feed: F,
    settings: FollowSettings,
}

impl<F> ReplicaBuilder<F> {
    pub(crate) fn new(feed: F) -> Self {
        Self { feed, settings: FollowSettings::default() }
    }

    /// Sets how long after a question the store is asked for changes again: 1 second unless set. The time is random by
    /// a quarter. A notice of the store, or a change through this replica, makes the replica ask sooner.
    pub fn poll_interval(mut self, poll_interval: Duration) -> Self {
        self.settings.poll_interval = poll_interval;
        self
    }

    /// Sets how old the records may be, and so how long a key may pass after its revocation: 5 seconds unless set.
    ///
    /// The age counts from just before the last successful question for changes. The bound holds even though the clock
    /// may lag.
    pub fn staleness(mut self, staleness: Duration) -> Self {
        self.settings.staleness = staleness;
        self
    }

    /// Sets what happens when the records are older than the staleness: every lookup fails unless set.
    pub fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.settings.when_stale = when_stale;
        self
    }

    /// Sets how long a question for changes may take: 2 seconds unless set. A change through this replica waits that
    /// long for its own effect.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets how long the store may take for one page of records: 30 seconds unless set.
    pub fn page_timeout(mut self, page_timeout: Duration) -> Self {
        self.settings.page_timeout = page_timeout;
        self
    }

    /// Sets the clock: the system's unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Sets the start of the random numbers that spread polls, so that a simulation is repeated exactly: random unless
    /// set. Give each node another seed.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.settings.jitter_seed = Some(seed);
        self
    }

    /// Finds what contradicts itself in the settings.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let FollowSettings { poll_interval, staleness, timeout, page_timeout, .. } = self.settings;
        let times = [
            ("poll_interval", poll_interval),
            ("timeout", timeout),
            ("page_timeout", page_timeout),
        ];
        if let Some((field, _)) = times.iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::Replica {
                field,
                problem: "set a time above zero".to_owned(),
            });
        }
        let least = poll_interval.saturating_add(self.settings.clock.lag());
        if staleness <= least {
            let problem = format!(
                "{staleness:?} is not longer than the poll interval and the lag of the clock, {least:?}: set a longer \
                staleness or a shorter `poll_interval`"
            );
            return Err(ConfigError::Replica { field: "staleness", problem });
        }
        Ok(())
    }
}

impl<F: KeyFeed> ReplicaBuilder<F> {
    /// Builds the replica. Nothing is copied before [`Replica::follow`] is polled.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Replica`] if a time is zero, or the staleness is not longer than the poll interval. The replica
    /// would then refuse requests between two polls.
    pub fn build(self) -> Result<Replica<F>, ConfigError> {
        self.check()?;
        Ok(Replica::with(self.feed, self.settings))
    }
}

impl<F> fmt::Debug for ReplicaBuilder<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FollowSettings { poll_interval, staleness, when_stale, .. } = &self.settings;
        let mut debug = formatter.debug_struct("ReplicaBuilder");
        debug.field("poll_interval", poll_interval).field("staleness", staleness);
        debug.field("when_stale", when_stale).finish_non_exhaustive()
    }
}
