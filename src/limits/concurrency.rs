//! Simultaneous requests: so many of an account at once on a route, and a bounded wait for more.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::key::AccountId;

/// Limits the requests that an account may have in flight on a route.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::limits::Concurrency;
///
/// /// One insert at a time; a second one waits for up to a second.
/// const ONE: Concurrency = Concurrency::new(1).queue_for(Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    pub(crate) limit: u32,
    pub(crate) longest_wait: Duration,
    pub(crate) queue: u32,
}

impl Concurrency {
    /// Admits `limit` requests at once, and refuses any more without waiting.
    pub const fn new(limit: u32) -> Self {
        Self { limit, longest_wait: Duration::ZERO, queue: 1_000 }
    }

    /// Lets further requests wait for a place, first come, first served, for up to this time.
    /// Needs a tokio runtime with its timer enabled.
    pub const fn queue_for(mut self, longest_wait: Duration) -> Self {
        self.longest_wait = longest_wait;
        self
    }

    /// Lets at most `requests` of an account wait at once, 1000 unless set; one more is refused
    /// without waiting, since every waiting request holds a connection and its memory.
    pub const fn queue_length(mut self, requests: u32) -> Self {
        self.queue = requests;
        self
    }
}

/// Keeps the places of every account and route that has requests in flight, and no others.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConcurrencyLimiter(Arc<Mutex<HashMap<Subject, Arc<Semaphore>>>>);

/// An account on a route, the route by its place in the table.
pub(crate) type Subject = (AccountId, usize);

/// What a request got that asked for a place.
#[derive(Debug)]
pub(crate) enum Place {
    /// A free place.
    Free(Permit),
    /// A place in the queue.
    Queued(Ticket),
    /// Nothing: the queue is full, or there is none.
    Refused,
}

impl ConcurrencyLimiter {
    /// Asks for a place on a route.
    pub(crate) fn enter(&self, account: &AccountId, route: usize, rule: Concurrency) -> Place {
        let subject = (account.clone(), route);
        let seat = Seat { limiter: self.clone(), subject: subject.clone() };
        // Held to the end: a refused request lets go of the semaphore before anyone counts again.
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore =
            places.entry(subject).or_insert_with(|| Arc::new(Semaphore::new(rule.limit as usize)));
        let holders = Arc::strong_count(semaphore) - 1; // without the table's
        match Arc::clone(semaphore).try_acquire_owned() {
            Ok(permit) => Place::Free(Permit::new(permit, seat)),
            Err(_) if rule.longest_wait.is_zero() => Place::Refused,
            Err(_) if holders >= rule.limit.saturating_add(rule.queue) as usize => Place::Refused,
            Err(_) => Place::Queued(Ticket { semaphore: Some(Arc::clone(semaphore)), seat }),
        }
    }

    /// Forgets a subject that nobody holds a place of, or waits for.
    fn leave(&self, subject: &Subject) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.get(subject).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            places.remove(subject);
        }
    }

    #[cfg(test)]
    fn subjects(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Holds a place until it is dropped. Boxed, because hardly any request has one, and all carry it.
pub(crate) struct Permit {
    _held: Box<Held>,
}

struct Held {
    permit: Option<OwnedSemaphorePermit>,
    seat: Seat,
}

/// Names the subject to tidy up after.
#[derive(Clone)]
struct Seat {
    limiter: ConcurrencyLimiter,
    subject: Subject,
}

impl Permit {
    fn new(permit: OwnedSemaphorePermit, seat: Seat) -> Self {
        Self { _held: Box::new(Held { permit: Some(permit), seat }) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The place is given back before anyone counts who is left.
        self.permit = None;
        self.seat.limiter.leave(&self.seat.subject);
    }
}

/// Waits for a place; dropped, it leaves the queue.
pub(crate) struct Ticket {
    semaphore: Option<Arc<Semaphore>>,
    seat: Seat,
}

impl Ticket {
    /// Waits for a place for up to the rule's longest wait.
    pub(crate) async fn wait(mut self, rule: Concurrency) -> Option<Permit> {
        let semaphore = self.semaphore.take()?;
        let granted = tokio::time::timeout(rule.longest_wait, semaphore.acquire_owned()).await;
        let permit = granted.ok()?.ok()?;
        Some(Permit::new(permit, self.seat.clone()))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.semaphore = None;
        self.seat.limiter.leave(&self.seat.subject);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ticket")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn account(name: &str) -> AccountId {
        AccountId::new(name).unwrap()
    }

    async fn enter(limiter: &ConcurrencyLimiter, name: &str, rule: Concurrency) -> Option<Permit> {
        match limiter.enter(&account(name), 0, rule) {
            Place::Free(permit) => Some(permit),
            Place::Queued(ticket) => ticket.wait(rule).await,
            Place::Refused => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_comes_free_or_the_wait_ends() {
        let limiter = ConcurrencyLimiter::default();
        let rule = Concurrency::new(1).queue_for(SECOND);
        let first = enter(&limiter, "acme", rule).await.unwrap();
        assert!(enter(&limiter, "other", rule).await.is_some(), "another account");
        let began = tokio::time::Instant::now();
        assert!(enter(&limiter, "acme", rule).await.is_none());
        assert_eq!(began.elapsed(), SECOND);
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { enter(&limiter, "acme", rule).await }
        });
        tokio::time::sleep(SECOND / 2).await;
        drop(first);
        assert!(waiting.await.unwrap().is_some());
        assert_eq!(limiter.subjects(), 0, "nothing is kept for accounts at rest");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_request_that_goes_away_leaves_the_queue() {
        let limiter = ConcurrencyLimiter::default();
        let rule = Concurrency::new(1).queue_for(SECOND).queue_length(1);
        let first = enter(&limiter, "acme", rule).await;
        let Place::Queued(ticket) = limiter.enter(&account("acme"), 0, rule) else {
            panic!("the queue has room for one")
        };
        assert!(matches!(limiter.enter(&account("acme"), 0, rule), Place::Refused));
        drop(ticket);
        assert!(matches!(limiter.enter(&account("acme"), 0, rule), Place::Queued(_)));
        drop(first);
        assert_eq!(limiter.subjects(), 0, "the refused and the departed hold nothing");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_than_the_limit_are_in_flight() {
        let limiter = ConcurrencyLimiter::default();
        let rule = Concurrency::new(3).queue_for(Duration::from_secs(60));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all_places_taken = Arc::new(tokio::sync::Barrier::new(3));
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let (limiter, inside, most) = (limiter.clone(), inside.clone(), most.clone());
                let all_places_taken = all_places_taken.clone();
                tokio::spawn(async move {
                    let permit = enter(&limiter, "acme", rule).await;
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    if number < 3 {
                        all_places_taken.wait().await;
                    }
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    permit.is_some()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
        assert_eq!(limiter.subjects(), 0);
    }
}
