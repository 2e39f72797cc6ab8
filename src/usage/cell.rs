//! One count: the requests of one key, route, decision and hour.

use super::hour::UsageHour;
use crate::decision::RequestDecision;
use crate::key::{AccountId, KeyId, MAX_TEXT_BYTES};

/// The route of requests that were counted without key and route, because a recorder held as many counts as it may; and of
/// routes whose pattern has more bytes than [`MAX_TEXT_BYTES`]. No
/// route pattern has this name: a pattern begins with `/` or `*`.
pub const OTHER_ROUTE: &str = "other";

/// Returns the name under which the requests of a route are counted. A pattern that no index can hold is not known by name.
pub(super) fn counted(pattern: &str) -> &str {
    if pattern.len() > MAX_TEXT_BYTES { OTHER_ROUTE } else { pattern }
}

/// The requests of one key by route, decision and hour.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageCell {
    /// The hour in which the gate decided.
    pub hour: UsageHour,
    /// The id of the key. `None` for requests without a valid key.
    pub key: Option<KeyId>,
    /// The account of the key.
    pub account: Option<AccountId>,
    /// The pattern of the route; empty for a request without a route, and [`OTHER_ROUTE`] if it is not known.
    pub route: String,
    /// The decision about the requests.
    pub decision: RequestDecision,
    /// The number of requests.
    pub requests: u64,
}

impl UsageCell {
    /// Describes requests. `key` is the key with its account.
    pub fn new(
        hour: UsageHour,
        key: Option<(KeyId, AccountId)>,
        route: impl Into<String>,
        decision: RequestDecision,
        requests: u64,
    ) -> Self {
        let (key, account) = key.unzip();
        Self { hour, key, account, route: route.into(), decision, requests }
    }
}
