//! The store of keys, as it stands in a file.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replica::ReplicaSettings;
use super::usage::UsageSettings;
use crate::config::duration::LengthOfTime;
use crate::config::secret::SecretText;

/// The table `[store]`: where the keys are.
///
/// The core opens no database. `tower-api-key-front-door` opens what this names; a program of your own may give the
/// schemes of URLs its own meaning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The address: `sqlite:FILE`, `postgres://…`, or `memory:` for tests.
    pub url: SecretText,
    /// The most connections: 4 unless set in PostgreSQL, and 10 in SQLite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// After how long a connection to PostgreSQL is replaced: 30 minutes unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<LengthOfTime>,
    /// After how long an unused connection to PostgreSQL is closed: 10 minutes unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<LengthOfTime>,
    /// Whether a pooler in transaction mode, such as PgBouncer, stands before PostgreSQL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind_pooler: bool,
    /// The address for notices of changes in PostgreSQL: past a pooler, or the primary of a standby server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen_url: Option<SecretText>,
    /// How old the data of a PostgreSQL standby server may be; then lookups fail. Needs `listen_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lag: Option<LengthOfTime>,
    /// How long a lookup may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_timeout: Option<LengthOfTime>,
    /// How long a change may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_timeout: Option<LengthOfTime>,
    /// The prefix of the tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The schema of the tables, in PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Creates the file of an SQLite database if it is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_if_missing: bool,
    /// Keeps records in memory for a stated time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheSettings>,
    /// Holds every record in memory, and follows the database's changes. Excludes `cache`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaSettings>,
    /// Counts requests by key, route pattern, decision and hour. An empty table is enough. Not with `memory:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageSettings>,
}

/// The table `[store.cache]`: how records are kept in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheSettings {
    /// How old a record may be, and so how long a revoked key may pass: 5 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness: Option<LengthOfTime>,
    /// For how much longer a record may be used while the store cannot answer: not at all unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<LengthOfTime>,
    /// How long an unknown secret is kept: 1 second unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_for: Option<LengthOfTime>,
    /// How old a record may be while the database proves that it did not change: 1 hour unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_after: Option<LengthOfTime>,
    /// How often PostgreSQL is asked whether records changed, so that they need not be read again: each 500 ms unless
    /// set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prove_every: Option<LengthOfTime>,
    /// How long a lookup may take, its wait included: 2 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<LengthOfTime>,
    /// The most records: 100,000 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<usize>,
    /// The most unknown secrets: 10,000 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<usize>,
    /// The most lookups at once: 1,000 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookups_at_once: Option<usize>,
}

impl StoreSettings {
    /// Returns the scheme of the address, such as `sqlite` or `postgres`.
    pub fn scheme(&self) -> &str {
        scheme(&self.url)
    }
}

/// Returns what stands before the colon of an address.
pub(super) fn scheme(url: &SecretText) -> &str {
    url.expose().split_once(':').map_or("", |(scheme, _)| scheme)
}

impl From<LengthOfTime> for Duration {
    fn from(length: LengthOfTime) -> Self {
        length.duration()
    }
}
