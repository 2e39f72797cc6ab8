//! The trait with which a replica copies a store, and follows its changes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::invalidation::Invalidations;
use super::manage::BrokenRow;
use crate::error::StoreError;
use crate::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};

/// The future that a [`KeyFeed`] returns. It is boxed, so that a feed can be used through `dyn`.
pub type FeedFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store that can be copied whole, and whose changes can be followed.
///
/// A reader asks for the [`position`](Self::position), then for all pages of records, and then again and again for the
/// changes since. Changes that are made while pages are read appear in the pages, in the changes, or in both.
///
/// A feed makes four promises. The feature `testing` has tests for them: `feed_tests!`.
///
/// 1. **Order.** A position covers every change with a smaller number. So no change becomes visible later with a number
///    below a position that was returned before, however long its transaction takes.
/// 2. **Nothing is left out.** An answer holds every change that was committed before the call, up to the position that
///    the answer states. The last answer of [`changes_after`](Self::changes_after), without `more`, holds all of them.
/// 3. **The latest position is no lower than the state.** An answer names the latest change that its records may hold.
///    Read that position in the same snapshot as the records, or after them. The reader checks it later, so a store
///    that lost its latest changes is noticed, even if only records had shown them.
/// 4. **Another history is told apart.** A question about a position that the store does not have is answered with
///    [`Diverged`](FeedAnswer::Diverged).
pub trait KeyFeed: Send + Sync + 'static {
    /// Returns the position of the latest change. [`FeedPosition::START`] if the store never had a change.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn position(&self) -> FeedFuture<'_, FeedPosition>;

    /// Reads records in the order of their digests, the first one behind `after`. The page holds every change up to
    /// `position`, and may hold later ones. The reader passes the [latest](FeedPage::latest) position of the page
    /// before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer. The reader asks for the same page again.
    fn keys_after(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>>;

    /// Reads records as [`keys_after`](Self::keys_after) does, but those of one account are enough.
    ///
    /// A replica reads them when the account was saved and one of its keys could not be read before. Without an
    /// implementation all records are read, so a replica reads them for a tenth of the time at most.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn keys_of_account(
        &self,
        account: AccountId,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        let _ = account;
        self.keys_after(position, after)
    }

    /// Reads what was changed since a position. The answer holds every change that was committed before this call, but
    /// for the time that [`FeedChanges::behind`] states.
    ///
    /// `seen` is the latest position of the reader's last answer, a page or changes. It is only checked: the answer is
    /// [`Diverged`](FeedAnswer::Diverged) unless both positions belong to the history of the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot answer.
    fn changes_after(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>>;

    /// Returns notices that say when to ask for changes. A notice that is lost only makes the reader ask later.
    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        None
    }
}

/// A place in the history of a store: a change, or the beginning.
///
/// The mark is a random number which the change was given when it was made. So a store that was restored from a
/// backup, or lost its latest changes, is told from the one that was followed before: it has another change under the
/// same number, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedPosition {
    /// The number of the change. Numbers rise in the order in which changes become visible, with gaps.
    pub sequence: u64,
    /// The mark of the change.
    pub mark: u64,
}

impl FeedPosition {
    /// The place before the first change.
    pub const START: Self = Self { sequence: 0, mark: 0 };
}

/// The answer to a question about a position.
#[derive(Debug)]
pub enum FeedAnswer<T> {
    /// The position belongs to the history of the store.
    Same(T),
    /// The store has no such position: it was restored, it lost changes, or its trail was cut. The reader begins anew.
    Diverged,
}

/// Records of a store, in the order of their digests.
#[derive(Debug)]
pub struct FeedPage {
    /// The secrets and their records.
    pub secrets: Vec<FeedSecret>,
    /// Whether there are no records behind these.
    pub is_last: bool,
    /// The position of the latest change that the records may hold, read in the same snapshot or after them.
    pub latest: FeedPosition,
}

/// A secret and its record.
#[derive(Debug)]
pub struct FeedSecret {
    /// The digest of the secret.
    pub digest: KeyDigest,
    /// The record, which ends with the secret. If the stored row is no valid record, its key, its account and the
    /// problem: the gate then answers 503 to this secret alone. If the account is named, the key is read again when the
    /// account is saved.
    pub record: Result<KeyRecord, BrokenRow>,
}

/// What was changed since a position.
#[derive(Debug)]
pub struct FeedChanges {
    /// What was changed, in any order. Each has the present state, which may be newer than the change.
    pub changes: Vec<FeedChange>,
    /// The position of the last change that is held here. The reader asks for the changes since this one.
    pub position: FeedPosition,
    /// The position of the latest change that the states may hold, read in the same snapshot or after them. It is later
    /// than `position` if there are `more`.
    pub latest: FeedPosition,
    /// Whether there are more changes, so that the reader should ask again at once.
    pub more: bool,
    /// How much older than the call the answer may be, as with a standby server. Zero for a store that answers with
    /// its latest state.
    pub behind: Duration,
}

/// The present state of what was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FeedChange {
    /// A key. Without secrets it was deleted.
    Key {
        /// The id of the key.
        id: KeyId,
        /// All secrets of the key, with its present record under the present state of its account.
        secrets: Vec<FeedSecret>,
    },
    /// An account, which affects all its keys. If its row is no valid account, the feed names its keys instead, each
    /// with the problem.
    Account {
        /// The id of the account.
        id: AccountId,
        /// The state. `None` if the account was deleted with its keys since the position. If it was made anew
        /// afterwards, the answer has both: `None`, which removes all its keys that the answer does not name, and the
        /// state.
        account: Option<Account>,
    },
}

impl<F: KeyFeed + ?Sized> KeyFeed for Arc<F> {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        (**self).position()
    }

    fn keys_after(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        (**self).keys_after(position, after)
    }

    fn keys_of_account(
        &self,
        account: AccountId,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        (**self).keys_of_account(account, position, after)
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        (**self).changes_after(since, seen)
    }

    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        (**self).notices()
    }
}
