//! A question for the keys with the most requests.

use super::hour::UsageHour;
use crate::clock::Timestamp;

/// The most keys of an answer, unless set.
const MOST_KEYS: usize = 100;

/// Asks for the keys with the most requests in whole months of UTC, the busiest first.
///
/// The answer is read from sums by month, which is fast among a million keys. For another time, ask about one key or
/// account with a [`UsageQuery`](super::UsageQuery).
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
    /// The first hour of the first month that is counted.
    pub since: UsageHour,
    /// The first hour of the first month that is no longer counted.
    pub until: UsageHour,
    /// The account whose keys are counted. `None` for all keys.
    pub account: Option<String>,
    /// The most keys of the answer.
    pub limit: usize,
}

impl TopKeysQuery {
    /// Asks about the month of `since`, and all months that begin before `until`. If `until` is not after `since`, the
    /// answer is empty.
    pub const fn months(since: Timestamp, until: Timestamp) -> Self {
        let first = UsageHour::of(since).month();
        let end = UsageHour::from_start(until);
        let end = if end.number() == end.month().number() { end } else { end.next_month() };
        let is_empty = until.since(since).is_zero();
        let until = if is_empty { first } else { end };
        Self { since: first, until, account: None, limit: MOST_KEYS }
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
