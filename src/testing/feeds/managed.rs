//! The subject of the kit: a store that can be changed and followed.

use crate::store::{KeyFeed, KeyManager};

/// A store that has a [`KeyFeed`] and that a [`KeyManager`] changes. Every type that implements both has this trait.
///
/// ```
/// use tower_api_key::testing::ManagedFeed;
///
/// async fn has_no_changes(store: &dyn ManagedFeed) -> bool {
///     let is_at_the_start = store.position().await.is_ok_and(|position| position.sequence == 0);
///     is_at_the_start && store.changes(0, 1).await.is_ok_and(|trail| trail.is_empty())
/// }
/// ```
pub trait ManagedFeed: KeyManager + KeyFeed {}

impl<T: KeyManager + KeyFeed> ManagedFeed for T {}
