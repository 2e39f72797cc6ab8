//! One lookup for all that ask for the same secret at the same time.

use std::collections::HashMap;
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
    flights: HashMap<KeyDigest, Flight>,
    /// Grows with every invalidation. An answer to a question that was asked before one is not kept.
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
        if let Some(flight) = airspace.flights.get(&digest) {
            return Ok(flight.clone());
        }
        if airspace.flights.len() >= self.settings().most_lookups {
            return Err(StoreError::new(TooMany));
        }
        // On a task of its own: a client that goes away does not end the lookup that others wait for.
        let runtime = tokio::runtime::Handle::try_current().map_err(StoreError::new)?;
        let task = runtime.spawn(Arc::clone(self).look_up(digest, airspace.generation));
        let answer = task.map(|ended| ended.unwrap_or_else(|panic| failed(StoreError::new(panic))));
        let flight = answer.boxed().shared();
        airspace.flights.insert(digest, flight.clone());
        Ok(flight)
    }

    async fn look_up(self: Arc<Self>, digest: KeyDigest, generation: u64) -> Shared {
        let landing = Landing { inner: &*self, digest };
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
}

impl<S> Drop for Landing<'_, S> {
    fn drop(&mut self) {
        self.inner.flights.lock().flights.remove(&self.digest);
    }
}
