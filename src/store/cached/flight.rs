//! One lookup for all that ask for the same secret at the same time; and a line for those for which there
//! is no place among the lookups that are under way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::super::KeyStore;
use super::super::error::StoreError;
use super::cache::Inner;
use super::kept::Asked;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::{Mutex, MutexGuard};

/// Lookups that may wait in line for a place. Each belongs to a request that waits, and leaves with it.
const LINE: usize = 65_536;

/// What a store answered, for all that wait.
pub(super) type Shared = Result<Option<SharedRecord>, Arc<StoreError>>;

/// The lookups that wait or are under way.
pub(super) struct Flights {
    list: Mutex<List>,
    places: Arc<Semaphore>,
    /// Whether the store failed at the latest lookup that has ended.
    failing: watch::Sender<bool>,
}

#[derive(Default)]
pub(super) struct List {
    /// The lookup of each secret that others may wait for, and whose answer is to be kept.
    flights: HashMap<KeyDigest, Flight>,
    /// The number of lookups that there have been.
    made: u64,
    in_line: usize,
}

struct Flight {
    number: u64,
    /// The latest notice before the store was asked; `None` while the lookup is in line.
    after: Option<u64>,
    answer: Answer,
}

type Answer = watch::Sender<Option<Landed>>;

/// What a lookup came to, and the latest notice before the store was asked.
#[derive(Clone)]
pub(super) struct Landed {
    pub(super) found: Shared,
    pub(super) after: u64,
}

/// Waits for a lookup.
pub(super) struct Ticket {
    answer: watch::Receiver<Option<Landed>>,
    /// The latest notice before this request.
    pub(super) arrived: u64,
}

/// Why there was no answer, if it is not the store that says so.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the store did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the lookup stood in line for {0:?}; the store is slow, or lookups_at_once is low")]
    InLine(Duration),
    #[error("more than {LINE} lookups wait in line")]
    LineIsFull,
    #[error("the store panicked")]
    Panicked,
    #[error("the lookup was ended with its runtime")]
    Ended,
}

impl Flights {
    pub(super) fn new(at_once: usize) -> Self {
        let places = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            list: Mutex::default(),
            places: Arc::new(Semaphore::new(places)),
            failing: watch::Sender::new(false),
        }
    }

    /// Lets nobody else change what is kept, or begin or end a lookup.
    pub(super) fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn is_failing(&self) -> bool {
        *self.failing.borrow()
    }

    /// Waits until a lookup fails, unless the latest has.
    pub(super) async fn fails(&self) {
        let mut failing = self.failing.subscribe();
        // It is there as long as this is.
        let _ = failing.wait_for(|failing| *failing).await;
    }
}

impl List {
    /// Keeps those that come from now on from waiting for the present lookup of a secret, and its answer
    /// from being kept. One in line has asked nothing yet.
    pub(super) fn leave_behind(&mut self, digest: &KeyDigest) {
        if self.flights.get(digest).is_some_and(|flight| flight.after.is_some()) {
            self.flights.remove(digest);
        }
    }
}

impl Ticket {
    /// Waits for the answer.
    pub(super) async fn landed(mut self) -> Landed {
        match self.answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(landed)) => landed.clone(),
            // Nobody is left to answer.
            _ => Landed { found: Err(Arc::new(StoreError::new(NoAnswer::Ended))), after: u64::MAX },
        }
    }
}

impl<S: KeyStore> Inner<S> {
    /// Joins the lookup of a secret, or begins one.
    pub(super) fn look_up(self: &Arc<Self>, digest: KeyDigest) -> Result<Ticket, StoreError> {
        let mut list = self.flights.lock();
        let arrived = self.notices.latest();
        if let Some(flight) = self.joinable(&list, &digest) {
            return Ok(Ticket { answer: flight.answer.subscribe(), arrived });
        }
        let runtime = Handle::try_current().map_err(StoreError::new)?;
        let place = match self.flights.place() {
            Some(place) => Ok(place),
            None if list.in_line >= LINE => return Err(StoreError::new(NoAnswer::LineIsFull)),
            None => Err(Line::join(self, &mut list)),
        };
        let (lookup, ticket) = self.begin(&mut list, digest);
        // A runtime that has ended drops the task here and now, which takes it off the list.
        drop(list);
        // On a task of its own: a client that goes away does not end the lookup that others wait for.
        runtime.spawn(lookup.run(place));
        Ok(ticket)
    }

    /// Begins the lookup of a secret, unless there is one, or there is no place for one.
    pub(super) fn look_up_behind(self: &Arc<Self>, digest: KeyDigest) {
        let mut list = self.flights.lock();
        if self.joinable(&list, &digest).is_none()
            && let Ok(runtime) = Handle::try_current()
            && let Some(place) = self.flights.place()
        {
            let (lookup, _) = self.begin(&mut list, digest);
            drop(list);
            runtime.spawn(lookup.run(Ok(place)));
        }
    }

    /// Says why a request has waited in vain for as long as a lookup may take.
    pub(super) fn waited_in_vain(&self, digest: &KeyDigest) -> StoreError {
        let timeout = self.settings().timeout;
        let list = self.flights.lock();
        let is_in_line = list.flights.get(digest).is_some_and(|flight| flight.after.is_none());
        StoreError::new(if is_in_line {
            NoAnswer::InLine(timeout)
        } else {
            NoAnswer::Timeout(timeout)
        })
    }

    fn joinable<'a>(&self, list: &'a List, digest: &KeyDigest) -> Option<&'a Flight> {
        let flight = list.flights.get(digest)?;
        let is_doubtful = |after| self.notices.names_everything_after(after);
        (!flight.after.is_some_and(is_doubtful)).then_some(flight)
    }

    /// Puts a lookup on the list, in place of an earlier one that nobody should wait for.
    pub(super) fn begin(
        self: &Arc<Self>,
        list: &mut List,
        digest: KeyDigest,
    ) -> (Lookup<S>, Ticket) {
        list.made += 1;
        let (answer, receiver) = watch::channel(None);
        let flight = Flight { number: list.made, after: None, answer: answer.clone() };
        list.flights.insert(digest, flight);
        let inner = Arc::clone(self);
        let lookup = Lookup { inner, digest, number: list.made, after: u64::MAX, answer };
        (lookup, Ticket { answer: receiver, arrived: self.notices.latest() })
    }
}

impl Flights {
    /// Takes a place, unless all are taken.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

/// A lookup on its way. It leaves the list however it ends, also with its runtime.
pub(super) struct Lookup<S: KeyStore> {
    inner: Arc<Inner<S>>,
    digest: KeyDigest,
    number: u64,
    after: u64,
    answer: Answer,
}

impl<S: KeyStore> Lookup<S> {
    async fn run(mut self, place: Result<OwnedSemaphorePermit, Line<S>>) {
        let place = match place {
            Ok(place) => Some(place),
            Err(line) => self.wait_in(line).await,
        };
        let Some(place) = place else { return };
        let asked = self.asks();
        let inner = Arc::clone(&self.inner);
        // A store may panic before it has made its future, too.
        let asking = AssertUnwindSafe(async { inner.store.find(&self.digest).await });
        let longest = inner.settings().timeout;
        let found = match tokio::time::timeout(longest, asking.catch_unwind()).await {
            Ok(Ok(found)) => found.map_err(Arc::new),
            Ok(Err(_panic)) => failed(NoAnswer::Panicked),
            Err(_) => failed(NoAnswer::Timeout(longest)),
        };
        drop(place);
        self.land(asked, found);
    }

    /// Waits for a place; none, if all that waited for the lookup have gone. They go at the latest when
    /// they have waited for as long as a lookup may take.
    async fn wait_in(&self, line: Line<S>) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(Arc::clone(&line.0.flights.places).acquire_owned());
        loop {
            let nobody_waits = pin!(self.answer.closed());
            match select(place.as_mut(), nobody_waits).await {
                Either::Left((place, _)) => return place.ok(),
                Either::Right(_) => {
                    let mut list = self.inner.flights.lock();
                    // Somebody may have come in between.
                    if self.answer.receiver_count() == 0 {
                        self.leave(&mut list);
                        return None;
                    }
                }
            }
        }
    }

    /// Notes when, and after which notice, the store is asked: before it looks.
    pub(super) fn asks(&mut self) -> Asked {
        let mut list = self.inner.flights.lock();
        self.after = self.inner.notices.latest();
        if let Some(flight) = list.flights.get_mut(&self.digest)
            && flight.number == self.number
        {
            flight.after = Some(self.after);
        }
        drop(list);
        Asked { at: self.inner.settings().clock.now(), after: self.after }
    }

    /// Keeps an answer, unless its secret was named since the store was asked, and hands it out.
    pub(super) fn land(&mut self, asked: Asked, found: Shared) {
        let failed = found.is_err();
        let mut list = self.inner.flights.lock();
        if self.leave(&mut list) {
            self.inner.settle(self.digest, asked, &found);
        }
        drop(list);
        let changes = |failing: &mut bool| std::mem::replace(failing, failed) != failed;
        self.inner.flights.failing.send_if_modified(changes);
        self.answer.send_replace(Some(Landed { found, after: asked.after }));
    }

    /// Hands out that there is no answer.
    fn end(&self, found: Shared) {
        self.leave(&mut self.inner.flights.lock());
        self.answer.send_replace(Some(Landed { found, after: self.after }));
    }

    /// Takes the lookup off the list; returns false if it was left behind before.
    fn leave(&self, list: &mut List) -> bool {
        match list.flights.entry(self.digest) {
            Entry::Occupied(flight) if flight.get().number == self.number => {
                flight.remove();
                true
            }
            _ => false,
        }
    }
}

impl<S: KeyStore> Drop for Lookup<S> {
    fn drop(&mut self) {
        if self.answer.borrow().is_none() {
            self.end(failed(NoAnswer::Ended));
        }
    }
}

/// Counts one that waits in line.
struct Line<S: KeyStore>(Arc<Inner<S>>);

impl<S: KeyStore> Line<S> {
    fn join(inner: &Arc<Inner<S>>, list: &mut List) -> Self {
        list.in_line += 1;
        Self(Arc::clone(inner))
    }
}

impl<S: KeyStore> Drop for Line<S> {
    fn drop(&mut self) {
        let mut list = self.0.flights.lock();
        list.in_line = list.in_line.saturating_sub(1);
    }
}

fn failed(why: NoAnswer) -> Shared {
    Err(Arc::new(StoreError::new(why)))
}
