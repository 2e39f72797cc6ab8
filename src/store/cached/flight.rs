//! One lookup for all that ask for the same secret at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared as SharedFuture};

use super::super::KeyStore;
use super::super::error::StoreError;
use super::cache::Inner;
use crate::key::{KeyDigest, SharedRecord};

/// What a store answered, for all that wait.
pub(super) type Shared = Result<Option<SharedRecord>, Arc<StoreError>>;

type Flight = SharedFuture<BoxFuture<'static, Shared>>;

/// The lookups that are under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<Airspace>);

#[derive(Default)]
struct Airspace {
    /// The latest lookup of each secret, and the generation in which it began.
    flights: HashMap<KeyDigest, (u64, Flight)>,
    /// All that are under way, those of earlier generations among them.
    underway: usize,
    /// Grows with every invalidation. An answer to a question that was asked before one is not kept, and
    /// nobody who comes after it waits for such an answer.
    generation: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("too many lookups are under way")]
struct TooMany;

impl Flights {
    fn lock(&self) -> MutexGuard<'_, Airspace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that no answer from before is kept afterwards.
    pub(super) fn invalidate(&self, forget: impl FnOnce()) {
        let mut airspace = self.lock();
        airspace.generation += 1;
        forget();
    }
}

impl<S: KeyStore> Inner<S> {
    /// Joins the lookup of a secret, or begins it.
    pub(super) fn board(self: &Arc<Self>, digest: KeyDigest) -> Result<Flight, StoreError> {
        let mut airspace = self.flights.lock();
        let generation = airspace.generation;
        match airspace.flights.get(&digest) {
            Some((begun, flight)) if *begun == generation => return Ok(flight.clone()),
            _ if airspace.underway >= self.settings().most_lookups => {
                return Err(StoreError::new(TooMany));
            }
            _ => {}
        }
        // On a task of its own: a client that goes away does not end the lookup that others wait for.
        let runtime = tokio::runtime::Handle::try_current().map_err(StoreError::new)?;
        let task = runtime.spawn(Arc::clone(self).look_up(digest, generation));
        let answer = task.map(|ended| ended.unwrap_or_else(|panic| failed(StoreError::new(panic))));
        let flight = answer.boxed().shared();
        airspace.flights.insert(digest, (generation, flight.clone()));
        airspace.underway += 1;
        Ok(flight)
    }

    async fn look_up(self: Arc<Self>, digest: KeyDigest, generation: u64) -> Shared {
        let landing = Landing { inner: &*self, digest, generation };
        // The age of a record begins before the store looks at it.
        let asked = self.settings().clock.now();
        let found = tokio::time::timeout(self.settings().timeout, self.store.find(&digest)).await;
        let answer = match found {
            Ok(found) => found.map_err(Arc::new),
            Err(elapsed) => failed(StoreError::new(elapsed)),
        };
        let airspace = self.flights.lock();
        if airspace.generation == generation {
            self.settle(digest, asked, &answer);
        }
        drop(airspace);
        drop(landing);
        answer
    }
}

fn failed(error: StoreError) -> Shared {
    Err(Arc::new(error))
}

/// Takes a lookup off the list when it ends, also by a panic of the store.
struct Landing<'a, S> {
    inner: &'a Inner<S>,
    digest: KeyDigest,
    generation: u64,
}

impl<S> Drop for Landing<'_, S> {
    fn drop(&mut self) {
        let mut airspace = self.inner.flights.lock();
        airspace.underway = airspace.underway.saturating_sub(1);
        if let Entry::Occupied(latest) = airspace.flights.entry(self.digest)
            && latest.get().0 == self.generation
        {
            drop(latest.remove());
        }
    }
}
