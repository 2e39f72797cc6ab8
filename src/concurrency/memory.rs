//! The limiter of simultaneous requests in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use tokio::sync::oneshot::Receiver;

use super::limiter::{Acquire, ConcurrencyLimiter, Permit};
use super::usage::PermitUsage;
use crate::error::LimiterError;
use crate::key::AccountId;
use crate::sync::{Mutex, MutexGuard, Reply, lock};

/// A limiter of simultaneous requests in this process. Clones share their permits.
///
/// A gate uses this limiter unless another is [set](crate::ApiKeyLayerBuilder::concurrency). It has an entry
/// for each account and route with requests in flight, and for no others. [`Acquire`] has an example.
///
/// Each request is admitted by the limit of its own rule, so a limit may change while permits are taken. A free permit
/// goes to the first waiting request whose limit has room.
#[derive(Clone, Default)]
pub struct MemoryConcurrency(Arc<Mutex<HashMap<AccountRoute, PermitUsage>>>);

/// An account on a route.
type AccountRoute = (AccountId, SmolStr);

impl MemoryConcurrency {
    /// Creates a limiter, of whose permits none is taken.
    pub fn new() -> Self {
        Self::default()
    }

    fn usages(&self) -> MutexGuard<'_, HashMap<AccountRoute, PermitUsage>> {
        lock(&self.0)
    }

    /// Returns the number of accounts and routes that have requests in flight.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.usages().len()
    }

    /// Takes a permit back, and passes it on to a request that waits.
    fn give_back(&self, subject: &AccountRoute) {
        let pass_on = || self.change(subject, PermitUsage::pass_on).flatten();
        // Woken without the lock, because a waker may drop requests that need it.
        while pass_on().is_some_and(|next| !next.wake()) {}
    }

    /// Changes what is known of a subject. Forgets the subject if no request holds a permit of it, or waits for one.
    fn change<T>(
        &self,
        subject: &AccountRoute,
        change: impl FnOnce(&mut PermitUsage) -> T,
    ) -> Option<T> {
        let mut usages = self.usages();
        let usage = usages.get_mut(subject)?;
        let changed = change(usage);
        if usage.is_over() {
            usages.remove(subject);
        }
        Some(changed)
    }
}

impl ConcurrencyLimiter for MemoryConcurrency {
    fn acquire(
        &self,
        Acquire { account, route, rule }: Acquire<'_>,
    ) -> Reply<Result<Option<Permit>, LimiterError>> {
        let (concurrency, subject) = (self.clone(), (account.clone(), SmolStr::new(route)));
        let most = rule.limit() as usize;
        let mut usages = self.usages();
        let usage = usages.entry(subject.clone()).or_default();
        if usage.take(most) {
            let in_flight = usage.taken();
            return Reply::now(Ok(Some(Permit::counted(Seat { concurrency, subject }, in_flight))));
        }
        let may_wait = !rule.longest_wait().is_zero();
        let grant = may_wait.then(|| usage.wait(most, rule.longest_queue() as usize)).flatten();
        if let Some((number, grant)) = grant {
            let ticket = Ticket { concurrency, subject, number, grant: Some(grant) };
            return Reply::later(async move { Ok(ticket.wait(rule.longest_wait()).await) });
        }
        if usage.is_over() {
            usages.remove(&subject);
        }
        Reply::now(Ok(None))
    }
}

impl fmt::Debug for MemoryConcurrency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MemoryConcurrency({} accounts and routes)", self.usages().len())
    }
}

/// A permit that a request holds. It is given back when this is dropped.
struct Seat {
    concurrency: MemoryConcurrency,
    subject: AccountRoute,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.concurrency.give_back(&self.subject);
    }
}

/// A request in the queue, which it leaves when this is dropped.
struct Ticket {
    concurrency: MemoryConcurrency,
    subject: AccountRoute,
    /// The number in the queue.
    number: u64,
    /// `None` when the permit has come.
    grant: Option<Receiver<()>>,
}

impl Ticket {
    /// Waits for a permit for up to this time.
    async fn wait(mut self, longest: Duration) -> Option<Permit> {
        let granted = tokio::time::timeout(longest, self.grant.as_mut()?).await;
        granted.ok()?.ok()?;
        self.grant = None;
        let (concurrency, subject) = (self.concurrency.clone(), self.subject.clone());
        let in_flight = concurrency.usages().get(&subject).map_or(1, PermitUsage::taken);
        Some(Permit::counted(Seat { concurrency, subject }, in_flight))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(mut grant) = self.grant.take() else { return };
        grant.close();
        if grant.try_recv().is_ok() {
            // The permit came, and nothing took it.
            self.concurrency.give_back(&self.subject);
        } else {
            self.concurrency.change(&self.subject, |usage| usage.forget_gone(self.number));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::super::rule::Concurrency;
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

    /// A limit changes while permits are taken: each request is admitted by the limit of its own rule.
    #[tokio::test(start_paused = true)]
    async fn a_limit_may_change_while_requests_are_in_flight() {
        let concurrency = MemoryConcurrency::default();
        let [one, three] = [1, 3].map(Concurrency::new);
        let mut taken = Vec::new();
        for (rule, passes) in [(one, true), (one, false), (three, true), (three, true)] {
            let permit = acquire(&concurrency, "acme", rule).await;
            assert_eq!(permit.is_some(), passes, "{rule:?}");
            taken.extend(permit);
        }
        for rule in [one, three] {
            assert!(acquire(&concurrency, "acme", rule).await.is_none(), "three are taken");
        }
        let waiting = ask(&concurrency, "acme", one.with_longest_wait(SECOND));
        taken.pop();
        assert!(acquire(&concurrency, "acme", three).await.is_some(), "a limit of 1 waits on");
        taken.clear();
        assert!(waiting.await.unwrap().is_some());
        assert_eq!(concurrency.len(), 0);
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
