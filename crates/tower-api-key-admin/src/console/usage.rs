//! The source of usage figures.

use std::future::Future;
use std::pin::Pin;

use tower_api_key::clock::Timestamp;
use tower_api_key::store::StoreError;

/// The future that a [`UsageSource`] returns.
pub type UsageFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<UsageRow>, StoreError>> + Send + 'a>>;

/// Answers how often a key was used.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key_admin::console::{UsageFuture, UsageRow, UsageSource};
///
/// /// Every key was refused twice in the first hour.
/// struct Refusals;
///
/// impl UsageSource for Refusals {
///     fn of_key<'a>(&'a self, _key: &'a str, from: Timestamp, _until: Timestamp) -> UsageFuture<'a> {
///         let row = UsageRow { hour: from, route: "/users".into(), decision: "refused".into(), requests: 2 };
///         Box::pin(async { Ok(vec![row]) })
///     }
/// }
/// ```
pub trait UsageSource: Send + Sync + 'static {
    /// Returns the requests of a key from one instant until another, at most one row for each hour, route and
    /// decision.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the source cannot answer. The page then says so.
    fn of_key<'a>(&'a self, key: &'a str, from: Timestamp, until: Timestamp) -> UsageFuture<'a>;
}

/// The requests of one hour that had the same route and the same decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The first instant of the hour.
    pub hour: Timestamp,
    /// The pattern of the route, such as `/v1/users/{id}`.
    pub route: String,
    /// The decision, such as `admitted` or `scope_missing`.
    pub decision: String,
    /// The number of requests.
    pub requests: u64,
}
