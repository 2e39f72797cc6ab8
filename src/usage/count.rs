//! A row of an answer about usage.

use crate::clock::Timestamp;
use crate::decision::RequestDecision;

/// A number of requests. A field is `None` if the query does not group by it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageCount {
    /// The start of the hour or day in UTC.
    pub start: Option<Timestamp>,
    /// The pattern of the route; empty for requests without a route, and [`OTHER_ROUTE`](super::OTHER_ROUTE) if it is
    /// not known.
    pub route: Option<String>,
    /// The decision.
    pub decision: Option<RequestDecision>,
    /// The number of requests.
    pub requests: u64,
}

impl UsageCount {
    /// Describes a number of requests.
    pub const fn new(
        start: Option<Timestamp>,
        route: Option<String>,
        decision: Option<RequestDecision>,
        requests: u64,
    ) -> Self {
        Self { start, route, decision, requests }
    }
}
