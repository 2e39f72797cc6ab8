//! The replica of a store, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::duration::LengthOfTime;
#[cfg(feature = "replica")]
use crate::error::ConfigError;
#[cfg(feature = "replica")]
use crate::store::{KeyFeed, ReplicaBuilder, WhenStale};

/// The table `[store.replica]`: how a process holds every record in memory, and follows the database's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplicaSettings {
    /// How long after a question the database is asked for changes again: 1 second unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval: Option<LengthOfTime>,
    /// How old the records may be, and so how long a revoked key may pass: 5 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness: Option<LengthOfTime>,
    /// For how much longer records are used while the database cannot answer: not at all unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<LengthOfTime>,
    /// How long a question for changes may take: 2 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<LengthOfTime>,
    /// How long the database may take for one page of records: 30 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_timeout: Option<LengthOfTime>,
    /// How long the first copy of all records may take before the front door does not open: 1 minute unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_within: Option<LengthOfTime>,
}

#[cfg(feature = "replica")]
impl ReplicaSettings {
    /// Returns the builder of a replica with these settings.
    ///
    /// ```
    /// use tower_api_key::ConfigError;
    /// use tower_api_key::config::ReplicaSettings;
    /// use tower_api_key::store::{KeyFeed, Replica};
    ///
    /// fn replica<F: KeyFeed>(settings: &ReplicaSettings, database: F) -> Result<Replica<F>, ConfigError> {
    ///     settings.builder(database).build()
    /// }
    /// ```
    pub fn builder<F: KeyFeed>(&self, feed: F) -> ReplicaBuilder<F> {
        self.apply(ReplicaBuilder::new(feed))
    }

    fn apply<F>(&self, mut builder: ReplicaBuilder<F>) -> ReplicaBuilder<F> {
        if let Some(interval) = self.poll_interval {
            builder = builder.poll_interval(interval.duration());
        }
        if let Some(staleness) = self.staleness {
            builder = builder.staleness(staleness.duration());
        }
        if let Some(grace) = self.grace {
            builder = builder.when_stale(WhenStale::ServeFor(grace.duration()));
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout.duration());
        }
        if let Some(timeout) = self.page_timeout {
            builder = builder.page_timeout(timeout.duration());
        }
        builder
    }

    /// Finds a length of time with which no replica works.
    pub(in crate::config) fn check(&self) -> Result<(), ConfigError> {
        self.apply(ReplicaBuilder::new(())).check()
    }
}
