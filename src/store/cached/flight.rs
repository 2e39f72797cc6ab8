//! One lookup for all that ask for the same secret at the same time; and a line for those for which there
//! is no place among the lookups that are under way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::super::KeyStore;
use super::cache::Inner;
use super::lookup::{Line, Lookup, NoAnswer};
use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::{Mutex, MutexGuard};

/// Lookups that may wait in line for a place. Each belongs to a request that waits, and leaves with it.
pub(super) const LINE: usize = 65_536;

/// What a store answered, for all that wait.
pub(super) type Shared = Result<Option<SharedRecord>, Arc<StoreError>>;

/// The lookups that wait or are under way.
pub(super) struct Flights {
    list: Mutex<List>,
    pub(super) places: Arc<Semaphore>,
    /// Whether the store failed at the latest lookup that has ended.
    failing: watch::Sender<bool>,
}

#[derive(Default)]
pub(super) struct List {
    /// The lookup of each secret that others may wait for, and whose answer is to be kept.
    flights: HashMap<KeyDigest, Flight>,
    /// The number of lookups that there have been.
    made: u64,
    pub(super) in_line: usize,
}

struct Flight {
    number: u64,
    /// The latest notice before the store was asked; `None` while the lookup is in line.
    after: Option<u64>,
    answer: Answer,
}

pub(super) type Answer = watch::Sender<Option<Landed>>;

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

    /// Takes a place, unless all are taken.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Returns true if the latest lookup failed.
    pub(super) fn is_failing(&self) -> bool {
        *self.failing.borrow()
    }

    /// Notes whether the store failed.
    pub(super) fn note(&self, failed: bool) {
        let changes = |failing: &mut bool| std::mem::replace(failing, failed) != failed;
        self.failing.send_if_modified(changes);
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

    /// Notes after which notice the store is asked.
    pub(super) fn asks(&mut self, digest: &KeyDigest, number: u64, after: u64) {
        if let Some(flight) = self.flights.get_mut(digest)
            && flight.number == number
        {
            flight.after = Some(after);
        }
    }

    /// Takes a lookup off the list; returns false if it was left behind before.
    pub(super) fn remove(&mut self, digest: KeyDigest, number: u64) -> bool {
        match self.flights.entry(digest) {
            Entry::Occupied(flight) if flight.get().number == number => {
                flight.remove();
                true
            }
            _ => false,
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
        let lookup = Lookup::new(Arc::clone(self), digest, list.made, answer);
        (lookup, Ticket { answer: receiver, arrived: self.notices.latest() })
    }
}
