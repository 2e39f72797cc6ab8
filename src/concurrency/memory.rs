//! The limiter of simultaneous requests in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limiter::{Acquire, ConcurrencyLimiter, Permit};
use super::rule::Concurrency;
use crate::error::LimiterError;
use crate::key::AccountId;
use crate::sync::{Mutex, MutexGuard, Reply, lock};

/// A limiter of simultaneous requests in this process. Clones share their permits.
///
/// A gate uses this limiter unless another is [set](crate::ApiKeyLayerBuilder::concurrency). It has an entry
/// for each account and route with requests in flight, and for no others. [`Acquire`] has an example.
#[derive(Clone, Default)]
pub struct MemoryConcurrency(Arc<Mutex<HashMap<AccountRoute, Arc<Semaphore>>>>);

/// An account on a route.
type AccountRoute = (AccountId, SmolStr);

impl MemoryConcurrency {
    /// Creates a limiter, of whose permits none is taken.
    pub fn new() -> Self {
        Self::default()
    }

    fn semaphores(&self) -> MutexGuard<'_, HashMap<AccountRoute, Arc<Semaphore>>> {
        lock(&self.0)
    }

    /// Returns the number of accounts and routes that have requests in flight.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.semaphores().len()
    }

    /// Forgets a subject if no request holds a permit of it, or waits for one.
    fn leave(&self, subject: &AccountRoute) {
        let mut semaphores = self.semaphores();
        if semaphores.get(subject).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            semaphores.remove(subject);
        }
    }
}

impl ConcurrencyLimiter for MemoryConcurrency {
    fn acquire(
        &self,
        Acquire { account, route, rule }: Acquire<'_>,
    ) -> Reply<Result<Option<Permit>, LimiterError>> {
        let subject = (account.clone(), SmolStr::new(route));
        let seat = Seat { concurrency: self.clone(), subject: subject.clone() };
        // Locked to the end: a refused request drops the semaphore before another request counts its holders.
        let mut semaphores = self.semaphores();
        let most = rule.limit() as usize;
        let semaphore = semaphores.entry(subject).or_insert_with(|| Arc::new(Semaphore::new(most)));
        let holders = Arc::strong_count(semaphore) - 1; // without the map's
        match Arc::clone(semaphore).try_acquire_owned() {
            Ok(permit) => Reply::now(Ok(Some(seat.taken(permit, rule)))),
            Err(_) if rule.longest_wait().is_zero() => Reply::now(Ok(None)),
            Err(_) if holders >= most.saturating_add(rule.longest_queue() as usize) => {
                Reply::now(Ok(None))
            }
            Err(_) => {
                let ticket = Ticket { semaphore: Some(Arc::clone(semaphore)), seat };
                Reply::later(async move { Ok(ticket.wait(rule).await) })
            }
        }
    }
}

impl fmt::Debug for MemoryConcurrency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MemoryConcurrency({} accounts and routes)", self.semaphores().len())
    }
}

/// A permit that a request holds.
struct TakenSeat {
    permit: Option<OwnedSemaphorePermit>,
    seat: Seat,
}

/// The subject to forget when its last request leaves.
#[derive(Clone)]
struct Seat {
    concurrency: MemoryConcurrency,
    subject: AccountRoute,
}

impl Seat {
    fn taken(self, permit: OwnedSemaphorePermit, rule: Concurrency) -> Permit {
        let free = u32::try_from(permit.semaphore().available_permits()).unwrap_or(u32::MAX);
        let in_flight = rule.limit().saturating_sub(free);
        Permit::counted(TakenSeat { permit: Some(permit), seat: self }, in_flight)
    }
}

impl Drop for TakenSeat {
    fn drop(&mut self) {
        // The permit must be given back before the remaining holders are counted.
        self.permit = None;
        self.seat.concurrency.leave(&self.seat.subject);
    }
}

/// A request in the queue, which it leaves when this is dropped.
struct Ticket {
    semaphore: Option<Arc<Semaphore>>,
    seat: Seat,
}

impl Ticket {
    /// Waits for a permit for up to the rule's longest wait.
    async fn wait(mut self, rule: Concurrency) -> Option<Permit> {
        let semaphore = self.semaphore.take()?;
        let granted = tokio::time::timeout(rule.longest_wait(), semaphore.acquire_owned()).await;
        let permit = granted.ok()?.ok()?;
        Some(self.seat.clone().taken(permit, rule))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.semaphore = None;
        self.seat.concurrency.leave(&self.seat.subject);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ask(
        concurrency: &MemoryConcurrency,
        name: &str,
        rule: Concurrency,
    ) -> Reply<Result<Option<Permit>, LimiterError>> {
        let account = AccountId::new(name).unwrap();
        concurrency.acquire(Acquire { account: &account, route: "GET /", rule })
    }

    async fn acquire(
        concurrency: &MemoryConcurrency,
        name: &str,
        rule: Concurrency,
    ) -> Option<Permit> {
        ask(concurrency, name, rule).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_comes_free_or_the_wait_ends() {
        let concurrency = MemoryConcurrency::default();
        let rule = Concurrency::new(1).with_longest_wait(SECOND);
        let first = acquire(&concurrency, "acme", rule).await.unwrap();
        assert!(acquire(&concurrency, "other", rule).await.is_some(), "another account");
        let began = tokio::time::Instant::now();
        assert!(acquire(&concurrency, "acme", rule).await.is_none());
        assert_eq!(began.elapsed(), SECOND);
        let waiting = tokio::spawn({
            let concurrency = concurrency.clone();
            async move { acquire(&concurrency, "acme", rule).await }
        });
        tokio::time::sleep(SECOND / 2).await;
        drop(first);
        assert!(waiting.await.unwrap().is_some());
        assert_eq!(concurrency.len(), 0, "nothing is kept for accounts at rest");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_request_that_goes_away_leaves_the_queue() {
        let concurrency = MemoryConcurrency::default();
        let rule = Concurrency::new(1).with_longest_wait(SECOND).with_longest_queue(1);
        let first = acquire(&concurrency, "acme", rule).await;
        let waiting =
            ask(&concurrency, "acme", rule).into_now().expect_err("the queue has room for one");
        assert!(matches!(ask(&concurrency, "acme", rule).into_now(), Ok(Ok(None))));
        drop(waiting);
        assert!(ask(&concurrency, "acme", rule).into_now().is_err());
        drop(first);
        assert_eq!(concurrency.len(), 0, "the refused and the departed hold nothing");
        let first = acquire(&concurrency, "acme", rule).await;
        let waiting = ask(&concurrency, "acme", rule).into_now().expect_err("there is room again");
        drop(first);
        assert_eq!(concurrency.len(), 1, "a request waits");
        drop(waiting);
        assert_eq!(
            concurrency.len(),
            0,
            "the last request leaves no entry, though it had no permit"
        );
    }

    #[tokio::test]
    async fn a_rule_without_a_wait_refuses_at_once() {
        let concurrency = MemoryConcurrency::default();
        let rule = Concurrency::new(1).with_longest_queue(5);
        let first = acquire(&concurrency, "acme", rule).await.unwrap();
        assert!(matches!(ask(&concurrency, "acme", rule).into_now(), Ok(Ok(None))));
        assert_eq!(
            format!("{concurrency:?} {first:?}"),
            "MemoryConcurrency(1 accounts and routes) Permit"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_than_the_limit_are_in_flight() {
        let concurrency = MemoryConcurrency::default();
        let rule = Concurrency::new(3).with_longest_wait(Duration::from_secs(60));
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all_places_taken = Arc::new(tokio::sync::Barrier::new(3));
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let (concurrency, inside, most) =
                    (concurrency.clone(), inside.clone(), most.clone());
                let all_places_taken = all_places_taken.clone();
                tokio::spawn(async move {
                    let permit = acquire(&concurrency, "acme", rule).await;
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
        assert_eq!(concurrency.len(), 0);
    }
}
