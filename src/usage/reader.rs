//! The trait with which usage is read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::count::UsageCount;
use super::key_usage::KeyUsage;
use super::last_use::LastUse;
use super::query::UsageQuery;
use super::top_keys::TopKeysQuery;
use crate::store::StoreError;

/// The future of a [`UsageReader`] or a [`UsageSink`](super::UsageSink). It is boxed, so that both can be used through
/// `dyn`.
pub type UsageFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Answers questions about usage that was written. What a recorder has counted since its last batch is not in the answers.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::store::StoreError;
/// use tower_api_key::usage::{TopKeysQuery, UsageGroup, UsageQuery, UsageReader};
///
/// async fn print(usage: &dyn UsageReader, since: Timestamp, until: Timestamp) -> Result<(), StoreError> {
///     let query = UsageQuery::between(since, until).account("acme").by([UsageGroup::Day]);
///     for count in usage.usage(&query).await? {
///         println!("{:?} {}", count.start, count.requests);
///     }
///     for key in usage.top_keys(&TopKeysQuery::month_of(since)).await? {
///         println!("{} {}", key.key, key.requests());
///     }
///     Ok(())
/// }
/// ```
pub trait UsageReader: Send + Sync + 'static {
    /// Returns the numbers of requests that a query asks for, sorted by time, route and decision. Without a group, the
    /// answer is one row.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn usage<'a>(&'a self, query: &'a UsageQuery) -> UsageFuture<'a, Vec<UsageCount>>;

    /// Returns the keys with the most requests, the busiest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn top_keys<'a>(&'a self, query: &'a TopKeysQuery) -> UsageFuture<'a, Vec<KeyUsage>>;

    /// Returns when a key was last admitted, and from which network. `None` if it never was.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn last_use<'a>(&'a self, key: &'a str) -> UsageFuture<'a, Option<LastUse>>;
}

impl<R: UsageReader + ?Sized> UsageReader for Arc<R> {
    fn usage<'a>(&'a self, query: &'a UsageQuery) -> UsageFuture<'a, Vec<UsageCount>> {
        (**self).usage(query)
    }

    fn top_keys<'a>(&'a self, query: &'a TopKeysQuery) -> UsageFuture<'a, Vec<KeyUsage>> {
        (**self).top_keys(query)
    }

    fn last_use<'a>(&'a self, key: &'a str) -> UsageFuture<'a, Option<LastUse>> {
        (**self).last_use(key)
    }
}
