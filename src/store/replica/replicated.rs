//! The replica as a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::background_writes::BackgroundWrites;
use super::super::feed::KeyFeed;
use super::super::manage::KeyManager;
use super::super::{KeyStore, StoreError};
use super::builder::ReplicaBuilder;
use super::follow;
use super::gauge::ReplicaGauge;
use super::settings::FollowSettings;
use super::shared::SharedReplica;
use crate::key::{CounterPlace, KeyDigest, SharedRecord};
use crate::sync::Reply;

/// Holds all keys of another store in memory, and follows its changes. Clones share the keys.
///
/// The replica guards one number: for how long a key may still pass after its revocation. This number is the
/// [staleness](ReplicaBuilder::staleness), 5 seconds unless set. A lookup is answered from memory if
///
/// 1. the whole store was copied;
/// 2. a question for changes was answered, which began less than the staleness ago. If the store answers with an older
///    state, such as a standby server, that much is subtracted;
/// 3. the stored row of the key could be read.
///
/// In every other case the lookup fails, so that the gate refuses with 503. No lookup asks the store: not for an unknown
/// key, and not while the store is down. [`WhenStale::ServeFor`](super::WhenStale::ServeFor) is the choice to serve for
/// longer.
///
/// The age is measured by the [steady time](crate::clock::Clock::steady) of the clock, so a step of the wall clock
/// changes nothing. A process that was stopped for longer than the staleness refuses its first request. The steady time
/// of most machines stands still while the machine itself is suspended.
///
/// # Following
///
/// Spawn [`follow`](Self::follow) once. It reads all records, and then asks for changes each
/// [poll interval](ReplicaBuilder::poll_interval), or at once after a notice. A change is seen within milliseconds if
/// the store sends notices, else within the poll interval. [`ready`](Self::ready) waits for the first copy.
///
/// If the history of the store is another one than before, all records are read anew: after a failover that lost
/// changes, after a restore from a backup, or if the trail was cut. The former records answer as long as their last
/// proof is young enough. Both copies are in memory meanwhile.
///
/// # Cost
///
/// A lookup takes one reading of the clock and two loads of one word more than in a
/// [`MemoryStore`](super::super::MemoryStore). A table that grows is copied by the task that follows, which takes as long
/// as there. A change of an account rewrites the records of all its keys.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::{KeyFeed, Replica, StoreError};
///
/// async fn open(database: impl KeyFeed) -> Result<Replica<impl KeyFeed>, tower_api_key::ConfigError> {
///     let builder = Replica::builder(database);
///     let store = builder.staleness(Duration::from_secs(10)).build()?;
///     tokio::spawn(store.follow());
///     store.ready().await;
///     Ok(store) // for the builder of a layer
/// }
/// ```
pub struct Replica<F> {
    pub(super) feed: Arc<F>,
    pub(super) shared: Arc<SharedReplica>,
}

impl<F: KeyFeed> Replica<F> {
    /// Creates a replica with the defaults: a poll each second, a staleness of 5 seconds, and no grace.
    pub fn new(feed: F) -> Self {
        Self::with(feed, FollowSettings::default())
    }

    /// Returns a builder of a replica of a store.
    pub fn builder(feed: F) -> ReplicaBuilder<F> {
        ReplicaBuilder::new(feed)
    }

    pub(super) fn with(feed: F, settings: FollowSettings) -> Self {
        Self { feed: Arc::new(feed), shared: Arc::new(SharedReplica::new(settings)) }
    }

    /// Copies the store and follows its changes, until the replica is dropped. Spawn the future once; a second one ends
    /// at once.
    ///
    /// A question that fails, or is not answered in time, is repeated: after an eighth of the poll interval at first, and
    /// after four poll intervals at most. Pauses are random by a quarter, so that a fleet does not ask in step.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        follow::follow(Arc::clone(&self.feed), &self.shared)
    }

    /// Waits until the store was copied once.
    ///
    /// Call it before the server accepts requests. It waits as long as the store fails. It waits without end if nothing
    /// polls [`follow`](Self::follow).
    pub async fn ready(&self) {
        let mut progress = self.shared.wake.progress.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = progress.wait_for(|progress| progress.is_copied).await;
    }

    /// Returns the store that is copied.
    pub fn store(&self) -> &F {
        &self.feed
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.shared.keys.len()
    }

    /// Returns true if there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how long ago it was last proven that the records are up to date. `None` before the first copy.
    ///
    /// A monitor compares it with the staleness.
    pub fn age(&self) -> Option<Duration> {
        self.shared.freshness.age()
    }

    /// Returns why the last question to the store failed. `None` if the store answered it.
    pub fn failure(&self) -> Option<Arc<StoreError>> {
        self.shared.failure()
    }

    /// Returns what a monitor reads of the replica. It does not keep the replica in memory.
    pub fn gauge(&self) -> ReplicaGauge {
        ReplicaGauge::of(&self.shared)
    }

    /// Writes to a store when secrets were last used, until the replica is dropped. Spawn the task once; a second one
    /// ends at once.
    ///
    /// A use is a lookup of a key that is valid then: one that is revoked, disabled, expired or not valid yet is not used.
    /// Uses are recorded to the minute and written every 5 seconds. A failed write is repeated with the next one. If the
    /// store keeps failing, uses are dropped once 10,000 wait. No request waits for a write. Without this task no use
    /// is recorded, and a request pays nothing.
    pub fn record_uses(&self, manager: Arc<dyn KeyManager>) -> BackgroundWrites {
        self.shared.uses.begin();
        self.shared.uses.uses.write_to(manager)
    }
}

impl<F: KeyFeed> KeyStore for Replica<F> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.shared.find(digest, |keys| keys.find_now(digest))
    }

    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.shared.find(digest, |keys| keys.find_now_and_preload(digest, preload))
    }
}

impl<F> Clone for Replica<F> {
    fn clone(&self) -> Self {
        Self { feed: Arc::clone(&self.feed), shared: Arc::clone(&self.shared) }
    }
}

impl<F> fmt::Debug for Replica<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Replica({} keys)", self.shared.keys.len())
    }
}
