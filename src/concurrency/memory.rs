//! Places in this process: so many of an account at once on a route, and a bounded wait for more.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::places::{Entered, Entry, Permit, Places};
use super::rule::Concurrency;
use crate::key::AccountId;
use crate::sync::{Eventually, Mutex, MutexGuard, lock};

/// Keeps the places of every account and route that has requests in flight, and no others, in this
/// process alone. Clones share them. What a gate has unless another is chosen; [`Entry`] has an example.
#[derive(Clone, Default)]
pub struct MemoryPlaces(Arc<Mutex<HashMap<Subject, Arc<Semaphore>>>>);

/// An account on a route.
type Subject = (AccountId, SmolStr);

impl MemoryPlaces {
    /// Creates places of which none is taken.
    pub fn new() -> Self {
        Self::default()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Subject, Arc<Semaphore>>> {
        lock(&self.0)
    }

    /// Returns the number of accounts and routes that have requests in flight.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places().len()
    }

    /// Forgets a subject that nobody holds a place of, or waits for.
    fn leave(&self, subject: &Subject) {
        let mut places = self.places();
        if places.get(subject).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            places.remove(subject);
        }
    }
}

impl Places for MemoryPlaces {
    fn enter(&self, Entry { account, route, rule }: Entry<'_>) -> Eventually<Entered> {
        let subject = (account.clone(), SmolStr::new(route));
        let seat = Seat { places: self.clone(), subject: subject.clone() };
        // Held to the end: a refused request lets go of the semaphore before anyone counts again.
        let mut places = self.places();
        let most = rule.limit() as usize;
        let semaphore = places.entry(subject).or_insert_with(|| Arc::new(Semaphore::new(most)));
        let holders = Arc::strong_count(semaphore) - 1; // without the table's
        match Arc::clone(semaphore).try_acquire_owned() {
            Ok(permit) => Eventually::now(Ok(Some(seat.taken(permit)))),
            Err(_) if rule.longest_wait().is_zero() => Eventually::now(Ok(None)),
            Err(_) if holders >= most.saturating_add(rule.longest_queue() as usize) => {
                Eventually::now(Ok(None))
            }
            Err(_) => {
                let ticket = Ticket { semaphore: Some(Arc::clone(semaphore)), seat };
                Eventually::later(async move { Ok(ticket.wait(rule).await) })
            }
        }
    }
}

impl fmt::Debug for MemoryPlaces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MemoryPlaces({} accounts and routes)", self.places().len())
    }
}

/// A place that is taken.
struct Taken {
    permit: Option<OwnedSemaphorePermit>,
    seat: Seat,
}

/// Names the subject to tidy up after.
#[derive(Clone)]
struct Seat {
    places: MemoryPlaces,
    subject: Subject,
}

impl Seat {
    fn taken(self, permit: OwnedSemaphorePermit) -> Permit {
        Permit::new(Taken { permit: Some(permit), seat: self })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // The place is given back before anyone counts who is left.
        self.permit = None;
        self.seat.places.leave(&self.seat.subject);
    }
}

/// Waits for a place; dropped, it leaves the queue.
struct Ticket {
    semaphore: Option<Arc<Semaphore>>,
    seat: Seat,
}

impl Ticket {
    /// Waits for a place for up to the rule's longest wait.
    async fn wait(mut self, rule: Concurrency) -> Option<Permit> {
        let semaphore = self.semaphore.take()?;
        let granted = tokio::time::timeout(rule.longest_wait(), semaphore.acquire_owned()).await;
        let permit = granted.ok()?.ok()?;
        Some(self.seat.clone().taken(permit))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.semaphore = None;
        self.seat.places.leave(&self.seat.subject);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ask(places: &MemoryPlaces, name: &str, rule: Concurrency) -> Eventually<Entered> {
        let account = AccountId::new(name).unwrap();
        places.enter(Entry { account: &account, route: "GET /", rule })
    }

    async fn enter(places: &MemoryPlaces, name: &str, rule: Concurrency) -> Option<Permit> {
        ask(places, name, rule).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_comes_free_or_the_wait_ends() {
        let places = MemoryPlaces::default();
        let rule = Concurrency::new(1).queue_for(SECOND);
        let first = enter(&places, "acme", rule).await.unwrap();
        assert!(enter(&places, "other", rule).await.is_some(), "another account");
        let began = tokio::time::Instant::now();
        assert!(enter(&places, "acme", rule).await.is_none());
        assert_eq!(began.elapsed(), SECOND);
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { enter(&places, "acme", rule).await }
        });
        tokio::time::sleep(SECOND / 2).await;
        drop(first);
        assert!(waiting.await.unwrap().is_some());
        assert_eq!(places.len(), 0, "nothing is kept for accounts at rest");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_request_that_goes_away_leaves_the_queue() {
        let places = MemoryPlaces::default();
        let rule = Concurrency::new(1).queue_for(SECOND).queue_length(1);
        let first = enter(&places, "acme", rule).await;
        let waiting =
            ask(&places, "acme", rule).into_now().expect_err("the queue has room for one");
        assert!(matches!(ask(&places, "acme", rule).into_now(), Ok(Ok(None))));
        drop(waiting);
        assert!(ask(&places, "acme", rule).into_now().is_err());
        drop(first);
        assert_eq!(places.len(), 0, "the refused and the departed hold nothing");
        let first = enter(&places, "acme", rule).await;
        let waiting = ask(&places, "acme", rule).into_now().expect_err("there is room again");
        drop(first);
        assert_eq!(places.len(), 1, "somebody waits");
        drop(waiting);
        assert_eq!(places.len(), 0, "who leaves last tidies up, though its place was never taken");
    }

    #[tokio::test]
    async fn a_queue_that_nobody_may_wait_in_refuses_at_once() {
        let places = MemoryPlaces::default();
        let rule = Concurrency::new(1).queue_length(5);
        let first = enter(&places, "acme", rule).await.unwrap();
        assert!(matches!(ask(&places, "acme", rule).into_now(), Ok(Ok(None))));
        assert_eq!(format!("{places:?} {first:?}"), "MemoryPlaces(1 accounts and routes) Permit");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_than_the_limit_are_in_flight() {
        let places = MemoryPlaces::default();
        let rule = Concurrency::new(3).queue_for(Duration::from_secs(60));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all_places_taken = Arc::new(tokio::sync::Barrier::new(3));
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let (places, inside, most) = (places.clone(), inside.clone(), most.clone());
                let all_places_taken = all_places_taken.clone();
                tokio::spawn(async move {
                    let permit = enter(&places, "acme", rule).await;
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
        assert_eq!(places.len(), 0);
    }
}
