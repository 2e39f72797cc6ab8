//! Notices of changes, from a store to the caches in front of it.

use std::time::Instant;

use super::manage::ManageFuture;
use crate::key::{AccountId, KeyDigest};

/// Names what changed in a store, so that a cache drops it.
///
/// ```
/// use tower_api_key::key::KeyHasher;
/// use tower_api_key::store::Invalidation;
///
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// assert_ne!(Invalidation::Secret(digest), Invalidation::Everything);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalidation {
    /// The key of this secret was changed or deleted.
    Secret(KeyDigest),
    /// This account was changed or deleted. Either affects all its keys.
    Account(AccountId),
    /// New secrets were added.
    Added,
    /// Anything may have changed, for example because notices were lost. A cache then asks the store for each
    /// record again. It does not drop the records, because an outage of the store may have lost the notices.
    Everything,
    /// Nothing changed. This is a proof of life: every change that a lookup at this instant would have seen
    /// has been returned before, since the last [`Everything`](Self::Everything) or from the first call on.
    ///
    /// Read the instant before the store is asked for its latest changes, not when it answers. Under tokio's
    /// paused time, take it from tokio's clock: `tokio::time::Instant::now().into_std()`.
    UpToDate(Instant),
}

/// Receives invalidations, one after another.
///
/// A source that also returns proofs of life ([`Invalidation::UpToDate`]) saves its store most lookups: a cache
/// then counts the age of its records from the last proof. A source without proofs makes changes count sooner,
/// and saves no lookups.
///
/// ```
/// use tower_api_key::store::{Invalidation, Invalidations, ManageFuture};
///
/// /// Makes a cache ask for every record again once a minute.
/// struct EveryMinute;
///
/// impl Invalidations for EveryMinute {
///     fn next(&mut self) -> ManageFuture<'_, Invalidation> {
///         Box::pin(async {
///             tokio::time::sleep(std::time::Duration::from_secs(60)).await;
///             Ok(Invalidation::Everything)
///         })
///     }
/// }
/// ```
pub trait Invalidations: Send + 'static {
    /// Waits for the next invalidation. After an error the caller may call this method again, which then
    /// reconnects to the store. The first invalidation of the new connection is [`Invalidation::Everything`],
    /// because notices in between were lost.
    ///
    /// The caller waits until the future is ready: one that is dropped before may lose an invalidation. After
    /// that, the caller treats everything as changed.
    ///
    /// # Errors
    ///
    /// [`ManageError`](super::ManageError) if the connection to the store is lost.
    fn next(&mut self) -> ManageFuture<'_, Invalidation>;
}
