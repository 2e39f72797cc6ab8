//! A question about usage.

use std::fmt;
use std::str::FromStr;

use super::hour::UsageHour;
use crate::clock::Timestamp;
use crate::decision::RequestDecision;
use crate::error::UnknownName;

/// The most rows of an answer, unless set.
const MOST_ROWS: usize = 10_000;

/// By what requests are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageGroup {
    /// By hour of UTC. Hours that were rolled up are one day.
    Hour,
    /// By day of UTC.
    Day,
    /// By route pattern.
    Route,
    /// By decision.
    Decision,
}

impl UsageGroup {
    /// All groups.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Route, Self::Decision];

    /// Returns the name of the group.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Route => "route",
            Self::Decision => "decision",
        }
    }
}

impl fmt::Display for UsageGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for UsageGroup {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|group| group.name() == name);
        known.ok_or(UnknownName::new("group", "`hour`, `day`, `route` or `decision`"))
    }
}

/// A question: the requests between two instants, of all keys, of one account or of one key, grouped as wanted.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::usage::{UsageGroup, UsageQuery};
///
/// let at = Timestamp::from_unix_seconds;
/// let query = UsageQuery::between(at(1_698_796_800), at(1_701_388_800))
///     .key("key_1")
///     .by([UsageGroup::Day, UsageGroup::Decision]);
/// assert_eq!(query.since.start().to_string(), "2023-11-01T00:00:00Z");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageQuery {
    /// The first hour that is counted.
    pub since: UsageHour,
    /// The first hour that is no longer counted.
    pub until: UsageHour,
    /// The account whose requests are counted. `None` for all requests.
    pub account: Option<String>,
    /// The key whose requests are counted. `None` for all requests.
    pub key: Option<String>,
    /// The route pattern whose requests are counted. `None` for all routes.
    pub route: Option<String>,
    /// The decision of the requests that are counted. `None` for all decisions.
    pub decision: Option<RequestDecision>,
    /// By what requests are counted apart.
    pub by: Vec<UsageGroup>,
    /// The most rows of the answer.
    pub limit: usize,
}

impl UsageQuery {
    /// Asks for the requests from `since` until before `until`, of all keys and without a key. Whole hours are counted:
    /// the hour of `since`, and all that begin before `until`. If `until` is not after `since`, nothing is counted.
    pub fn between(since: Timestamp, until: Timestamp) -> Self {
        Self {
            since: UsageHour::of(since),
            until: UsageHour::from_start(until),
            account: None,
            key: None,
            route: None,
            decision: None,
            by: Vec::new(),
            limit: MOST_ROWS,
        }
    }

    /// Asks for the requests of one account only.
    pub fn account(self, id: impl Into<String>) -> Self {
        Self { account: Some(id.into()), ..self }
    }

    /// Asks for the requests of one key only. With [`account`](Self::account), a key of another account has none.
    pub fn key(self, id: impl Into<String>) -> Self {
        Self { key: Some(id.into()), ..self }
    }

    /// Asks for the requests of one route pattern only.
    pub fn route(self, pattern: impl Into<String>) -> Self {
        Self { route: Some(pattern.into()), ..self }
    }

    /// Asks for the requests with one decision only.
    pub fn decision(self, decision: RequestDecision) -> Self {
        Self { decision: Some(decision), ..self }
    }

    /// Sets by what requests are counted apart. Without a group, the answer is one total. With both
    /// [`UsageGroup::Hour`] and [`UsageGroup::Day`], requests are counted by hour.
    pub fn by(self, groups: impl IntoIterator<Item = UsageGroup>) -> Self {
        Self { by: groups.into_iter().collect(), ..self }
    }

    /// Sets the most rows of the answer: 10,000 unless set. The first rows by time, route and decision are kept.
    pub fn limit(self, rows: usize) -> Self {
        Self { limit: rows, ..self }
    }
}
