//! Lookups that wait for a connection.
//!
//! While all connections are in use, one lookup leads: it waits for the next free one. Whichever lookup gets a connection
//! takes along the others that wait, in one statement. So a burst of lookups costs the server little more than a few, and a
//! lookup that finds a free connection waits for no other.
//!
//! A lookup is only taken along by a statement that begins later. So it sees each change that it must see. If the lookup
//! that leads fails or is dropped, the others go on by themselves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::StoreError;

/// What a lookup finds.
pub(super) type LookupResult = Result<Option<SharedRecord>, StoreError>;

/// The lookups that wait.
#[derive(Debug, Default)]
pub(super) struct LookupQueue {
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: VecDeque<Waiting>,
    /// Whether a lookup waits for a connection. Without one, none waits behind it.
    is_led: bool,
    /// The number of the next lookup that waits.
    next: u64,
}

/// A lookup that may be taken along.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) digest: KeyDigest,
    number: u64,
    turn: oneshot::Sender<Turn>,
}

/// How a lookup goes on that waited.
#[derive(Debug)]
pub(super) enum Turn {
    /// Another lookup took it along.
    Found(LookupResult),
    /// It waits for the next connection, and takes others along.
    Lead(Lead),
}

/// How a lookup begins.
pub(super) enum Place {
    /// It waits for a connection.
    Leads(Lead),
    /// Another one waits for a connection. Without an answer, that one has failed. The number is for
    /// [`LookupQueue::leave`].
    Waits(u64, oneshot::Receiver<Turn>),
}

/// The lookup that waits for a connection. If it is dropped, the others go on by themselves.
#[derive(Debug)]
pub(super) struct Lead {
    queue: Arc<LookupQueue>,
    has_ended: bool,
}

impl LookupQueue {
    /// Lets a lookup wait for a connection or behind the one that does.
    pub(super) fn join(queue: &Arc<Self>, digest: KeyDigest) -> Place {
        let mut state = queue.lock();
        if !state.is_led {
            state.is_led = true;
            return Place::Leads(Lead::of(queue));
        }
        let ((turn, comes), number) = (oneshot::channel(), state.next);
        state.next += 1;
        state.waiting.push_back(Waiting { digest, number, turn });
        Place::Waits(number, comes)
    }

    /// Returns the lookups that one with a connection takes along: at most this number, those that waited longest.
    pub(super) fn take_along(&self, most: usize) -> Vec<Waiting> {
        self.lock().take_along(most)
    }

    /// Ends the wait of a lookup that got a connection by itself. Returns false if another one has taken it along.
    pub(super) fn leave(&self, number: u64) -> bool {
        let mut state = self.lock();
        let place = state.waiting.iter().position(|waiting| waiting.number == number);
        place.and_then(|place| state.waiting.remove(place)).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn take_along(&mut self, most: usize) -> Vec<Waiting> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(next) = self.waiting.pop_front()
        {
            // A lookup whose caller has gone is not made.
            if !next.turn.is_closed() {
                taken.push(next);
            }
        }
        taken
    }
}

impl Lead {
    fn of(queue: &Arc<LookupQueue>) -> Self {
        Self { queue: Arc::clone(queue), has_ended: false }
    }

    /// Ends the lead of a lookup that has a connection, and returns the others that it takes along, as
    /// [`LookupQueue::take_along`] does. If more wait, the next one leads.
    pub(super) fn take_along(mut self, most: usize) -> Vec<Waiting> {
        self.has_ended = true;
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        let taken = state.take_along(most);
        while let Some(next) = state.waiting.pop_front() {
            match next.turn.send(Turn::Lead(Self::of(&queue))) {
                Ok(()) => return taken,
                // Its caller has gone. The queue is locked, so its lead must not end by itself.
                Err(Turn::Lead(mut lead)) => lead.has_ended = true,
                Err(Turn::Found(_)) => {}
            }
        }
        state.is_led = false;
        taken
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if !self.has_ended {
            let mut state = self.queue.lock();
            state.is_led = false;
            state.waiting.clear();
        }
    }
}

impl Waiting {
    /// Hands over what was found.
    pub(super) fn answer(self, found: LookupResult) {
        // Its caller may have gone.
        let _ = self.turn.send(Turn::Found(found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> KeyDigest {
        KeyDigest::from_bytes([number; 32])
    }

    fn waits(queue: &Arc<LookupQueue>, number: u8) -> oneshot::Receiver<Turn> {
        match LookupQueue::join(queue, digest(number)) {
            Place::Waits(_, turn) => turn,
            Place::Leads(_) => panic!("{number} leads"),
        }
    }

    fn leads(queue: &Arc<LookupQueue>) -> Lead {
        match LookupQueue::join(queue, digest(0)) {
            Place::Leads(lead) => lead,
            Place::Waits(..) => panic!("another one leads"),
        }
    }

    fn numbers(taken: &[Waiting]) -> Vec<u8> {
        taken.iter().map(|waiting| waiting.digest.as_bytes()[0]).collect()
    }

    #[test]
    fn a_lookup_with_a_connection_takes_along_those_that_waited_longest() {
        let queue = Arc::new(LookupQueue::default());
        let lead = leads(&queue);
        let mut turns: Vec<_> = (1..=5).map(|number| waits(&queue, number)).collect();
        drop(turns.remove(1));
        let taken = lead.take_along(2);
        assert_eq!(numbers(&taken), [1, 3], "the caller of 2 has gone");
        let Ok(Turn::Lead(lead)) = turns[2].try_recv() else { panic!("4 does not lead") };
        // So a new one waits.
        turns.push(waits(&queue, 6));
        assert_eq!(numbers(&lead.take_along(2)), [5, 6]);
        drop(leads(&queue));
        for waiting in taken {
            waiting.answer(Ok(None));
        }
        assert!(matches!(turns[0].try_recv(), Ok(Turn::Found(Ok(None)))));
    }

    #[test]
    fn a_lookup_that_finds_no_other_leaves_the_queue_free() {
        let queue = Arc::new(LookupQueue::default());
        assert!(leads(&queue).take_along(8).is_empty());
        assert!(leads(&queue).take_along(8).is_empty());
    }

    #[test]
    fn lookups_go_on_by_themselves_if_the_one_that_leads_is_dropped() {
        let queue = Arc::new(LookupQueue::default());
        let lead = leads(&queue);
        let mut turn = waits(&queue, 1);
        drop(lead);
        assert!(matches!(turn.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        // So do those that were taken along.
        let lead = leads(&queue);
        let mut turn = waits(&queue, 1);
        drop(lead.take_along(8));
        assert!(matches!(turn.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        drop(leads(&queue));
    }

    #[test]
    fn the_lead_passes_over_lookups_whose_callers_have_gone() {
        let queue = Arc::new(LookupQueue::default());
        let lead = leads(&queue);
        drop((waits(&queue, 1), waits(&queue, 2)));
        assert!(lead.take_along(0).is_empty());
        // Also if the caller goes when its turn has come, and before it is told.
        let lead = leads(&queue);
        let (led, mut waiting) = (waits(&queue, 1), waits(&queue, 2));
        assert!(lead.take_along(0).is_empty());
        drop(led);
        assert!(matches!(waiting.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        drop(leads(&queue));
    }

    #[test]
    fn a_lookup_leaves_the_queue_unless_it_was_taken_along() {
        let queue = Arc::new(LookupQueue::default());
        let lead = leads(&queue);
        let [first, second] =
            [1, 2].map(|number| match LookupQueue::join(&queue, digest(number)) {
                Place::Waits(number, turn) => (number, turn),
                Place::Leads(_) => panic!("{number} leads"),
            });
        assert!(queue.leave(second.0) && !queue.leave(second.0));
        // A lookup that found a connection by itself takes others along, too.
        assert_eq!(numbers(&queue.take_along(8)), [1]);
        assert!(!queue.leave(first.0));
        assert!(lead.take_along(8).is_empty());
        drop(leads(&queue));
    }
}
