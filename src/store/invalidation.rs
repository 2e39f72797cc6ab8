//! What a store tells those who keep its records elsewhere.

use super::manage::ManageFuture;
use crate::key::{AccountId, KeyDigest};

/// Says what is no longer as it was.
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
    /// This account was changed or deleted, and with it all its keys.
    Account(AccountId),
    /// Secrets are there that were not.
    Added,
    /// Anything may have changed, as when word was lost for a while. What is kept is asked for again, and
    /// not forgotten: a store that cannot answer is as likely the reason as a change is.
    Everything,
}

/// Receives invalidations, one after the other.
///
/// ```
/// use tower_api_key::store::{Invalidation, Invalidations, ManageFuture};
///
/// /// Hears of a change every minute.
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
    /// Waits for the next one. After an error it may be asked again, and tries to be connected anew; then
    /// the first is [`Invalidation::Everything`], for what was said in between nobody heard.
    ///
    /// # Errors
    ///
    /// [`ManageError`](super::ManageError) if the connection to the store is lost.
    fn next(&mut self) -> ManageFuture<'_, Invalidation>;
}
