//! A question for the keys with the most requests.

use super::hour::UsageHour;
use crate::clock::Timestamp;

/// The most keys of an answer, unless set.
const MOST_KEYS: usize = 100;

/// Asks for the keys with the most requests, the busiest first.
///
/// A whole month of UTC is read from sums by month, and is fast among a million keys. Other parts of the time are read by
/// hour.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::usage::TopKeysQuery;
///
/// let november = Timestamp::from_unix_seconds(1_700_000_000);
/// let query = TopKeysQuery::month_of(november).account("acme").limit(20);
/// assert_eq!(query.since.start().to_string(), "2023-11-01T00:00:00Z");
/// assert_eq!(query.until.start().to_string(), "2023-12-01T00:00:00Z");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopKeysQuery {
    /// The first hour that is counted.
    pub since: UsageHour,
    /// The first hour that is no longer counted.
    pub until: UsageHour,
    /// The account whose keys are counted. `None` for all keys.
    pub account: Option<String>,
    /// The most keys of the answer.
    pub limit: usize,
}

impl TopKeysQuery {
    /// Asks about the requests from `since` until before `until`, in whole hours as
    /// [`UsageQuery::between`](super::UsageQuery::between).
    pub const fn between(since: Timestamp, until: Timestamp) -> Self {
        let (since, until) = (UsageHour::of(since), UsageHour::from_start(until));
        Self { since, until, account: None, limit: MOST_KEYS }
    }

    /// Asks about the month of UTC in which an instant lies.
    pub const fn month_of(at: Timestamp) -> Self {
        let hour = UsageHour::of(at);
        Self { since: hour.month(), until: hour.next_month(), account: None, limit: MOST_KEYS }
    }

    /// Asks for the keys of one account only.
    pub fn account(self, id: impl Into<String>) -> Self {
        Self { account: Some(id.into()), ..self }
    }

    /// Sets the most keys of the answer: 100 unless set.
    pub fn limit(self, keys: usize) -> Self {
        Self { limit: keys, ..self }
    }
}
