//! The promises of a [`ConcurrencyLimiter`].

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::fresh::{Fresh, Make, Maker, subject};
use super::outcome::done;
use super::promise::{Promise, list, run};
use crate::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use crate::key::AccountId;

/// The promises of a [`ConcurrencyLimiter`]. Each is one test of
/// [`concurrency_tests!`](crate::concurrency_tests):
///
/// * `never_more_than_the_limit_are_in_flight`
/// * `a_full_route_refuses_at_once`
/// * `a_place_that_is_given_back_is_free`
/// * `a_wait_ends`
/// * `who_waits_is_served_in_order`
/// * `no_more_wait_than_the_rule_says`
/// * `accounts_and_routes_have_places_of_their_own`
/// * `who_goes_away_leaves_no_place_taken`
pub const CONCURRENCY_PROMISES: &[Promise<Maker<dyn ConcurrencyLimiter>>] =
    crate::__concurrency_promises!([list]);

/// Writes one test for each promise of a [`ConcurrencyLimiter`](crate::concurrency::ConcurrencyLimiter).
///
/// The argument is a function or a closure, async or not, that makes a limiter with all permits free. A test
/// calls it once for each limiter that it needs. [`Fresh`](crate::testing::Fresh) lists what it may return. A
/// returned permit may be free a little later. The tests wait by the real clock, for less than a second each.
///
/// ```
/// mod in_memory {
///     use tower_api_key::concurrency::MemoryConcurrency;
///
///     tower_api_key::concurrency_tests!(MemoryConcurrency::new);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! concurrency_tests {
    ($make:expr $(,)?) => {
        $crate::__concurrency_promises! {
            [$crate::__promise_tests] $crate::testing::__check_concurrency, $make;
        }
    };
}

/// Passes the promises of a `ConcurrencyLimiter` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __concurrency_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            self::never_more_than_the_limit_are_in_flight,
            self::a_full_route_refuses_at_once,
            self::a_place_that_is_given_back_is_free,
            self::a_wait_ends,
            self::who_waits_is_served_in_order,
            self::no_more_wait_than_the_rule_says,
            self::accounts_and_routes_have_places_of_their_own,
            self::who_goes_away_leaves_no_place_taken,
        }
    };
}

/// Checks one promise on new limiters.
#[doc(hidden)]
pub fn __check_concurrency<How>(promise: &str, make: impl Make<dyn ConcurrencyLimiter, (), How>) {
    let make = Maker::new(make);
    run(CONCURRENCY_PROMISES, promise, async |promise| {
        if make.fresh(()).await.subject().is_some() {
            promise.check(&make).await;
        }
    });
}

/// Longer than a returned permit takes to be free.
const LONG: Duration = Duration::from_secs(20);

/// Long enough for a request to ask for its permit.
const MOMENT: Duration = Duration::from_millis(100);

/// An account on a route, at a new limiter.
#[derive(Clone)]
struct RouteClient {
    concurrency: Arc<dyn Fresh<dyn ConcurrencyLimiter>>,
    account: &'static str,
    route: &'static str,
}

impl RouteClient {
    async fn new(make: &Maker<dyn ConcurrencyLimiter>) -> Self {
        Self { concurrency: make.fresh(()).await, account: "acme", route: "POST /jobs" }
    }

    async fn acquire(&self, rule: Concurrency) -> Option<Permit> {
        let account = done(AccountId::new(self.account), "building an account id");
        let entry = Acquire { account: &account, route: self.route, rule };
        done(subject(&*self.concurrency).acquire(entry).await, "asking for a permit")
    }

    /// Acquires a permit that is free at once or soon.
    async fn enter(&self, rule: Concurrency, what: &str) -> Permit {
        done(self.acquire(rule.with_longest_wait(LONG)).await.ok_or("no permit is free"), what)
    }
}

async fn never_more_than_the_limit_are_in_flight(make: &Maker<dyn ConcurrencyLimiter>) {
    const REQUESTS: u32 = 40;
    let (client, rule) =
        (RouteClient::new(make).await, Concurrency::new(3).with_longest_wait(LONG));
    let (inside, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let requests: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let (client, inside, most) = (client.clone(), Arc::clone(&inside), Arc::clone(&most));
            tokio::spawn(async move {
                let permit = client.acquire(rule).await;
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(MOMENT / 20).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                permit.is_some()
            })
        })
        .collect();
    for request in requests {
        assert!(done(request.await, "a request"), "a request got no permit in time");
    }
    assert_eq!(
        most.load(Ordering::SeqCst),
        3,
        "the most requests in flight at the same time, with three permits"
    );
}

async fn a_full_route_refuses_at_once(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) = (RouteClient::new(make).await, Concurrency::new(2));
    let held = (client.acquire(rule).await, client.acquire(rule).await);
    assert!(held.0.is_some() && held.1.is_some(), "two permits are free, and a request got none");
    assert!(
        client.acquire(rule).await.is_none(),
        "both permits are taken, and a third request got one"
    );
}

async fn a_place_that_is_given_back_is_free(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) = (RouteClient::new(make).await, Concurrency::new(1));
    for _ in 0..3 {
        let permit = client.enter(rule, "acquiring the permit that was returned").await;
        assert!(
            client.acquire(rule).await.is_none(),
            "the only permit is taken, and a request got one"
        );
        drop(permit);
    }
}

async fn a_wait_ends(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) =
        (RouteClient::new(make).await, Concurrency::new(1).with_longest_wait(MOMENT));
    let _held = client.enter(rule, "acquiring the first permit").await;
    let began = Instant::now();
    assert!(
        client.acquire(rule).await.is_none(),
        "the only permit stays taken, and a request got one"
    );
    let waited = began.elapsed();
    // A timer may end a wait a millisecond early, and ends it late on a busy machine.
    assert!(
        waited + Duration::from_millis(2) >= MOMENT && waited < LONG,
        "the request waited {waited:?}, and the longest wait of the rule is {MOMENT:?}"
    );
}

async fn who_waits_is_served_in_order(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) =
        (RouteClient::new(make).await, Concurrency::new(1).with_longest_wait(LONG));
    let held = client.enter(rule, "acquiring the first permit").await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 0..4 {
        let (client, served) = (client.clone(), Arc::clone(&served));
        waiting.push(tokio::spawn(async move {
            let _permit = client.enter(rule, "waiting for a permit").await;
            served.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        }));
        // Each request asks before the next one starts.
        tokio::time::sleep(MOMENT).await;
    }
    drop(held);
    for request in waiting {
        done(request.await, "a request");
    }
    let served = served.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(served, [0, 1, 2, 3], "the order in which waiting requests got their permits");
}

async fn no_more_wait_than_the_rule_says(make: &Maker<dyn ConcurrencyLimiter>) {
    let client = RouteClient::new(make).await;
    let rule = Concurrency::new(1).with_longest_wait(LONG).with_longest_queue(1);
    let held = client.enter(rule, "acquiring the first permit").await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.acquire(rule).await.is_some() }
    });
    tokio::time::sleep(MOMENT).await;
    let began = Instant::now();
    assert!(
        client.acquire(rule).await.is_none(),
        "one request waits, and a second one, beyond the longest queue, got a permit"
    );
    assert!(
        began.elapsed() < LONG / 2,
        "the second request is beyond the longest queue, and waited"
    );
    drop(held);
    assert!(done(waiting.await, "a request"), "the first waiting request got no permit");
}

async fn accounts_and_routes_have_places_of_their_own(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) = (RouteClient::new(make).await, Concurrency::new(1));
    let other_account = RouteClient { account: "other", ..client.clone() };
    let other_route = RouteClient { route: "GET /jobs", ..client.clone() };
    let _held = client.enter(rule, "acquiring the first permit").await;
    for (client, what) in [(&other_account, "another account"), (&other_route, "another route")] {
        let held = client.acquire(rule).await;
        assert!(held.is_some(), "{what} has permits of its own, and got none");
        assert!(
            client.acquire(rule).await.is_none(),
            "{what} has one permit, and got a second one"
        );
    }
}

async fn who_goes_away_leaves_no_place_taken(make: &Maker<dyn ConcurrencyLimiter>) {
    let (client, rule) = (RouteClient::new(make).await, Concurrency::new(1));
    let waits = rule.with_longest_wait(LONG).with_longest_queue(2);
    let held = client.enter(rule, "acquiring the first permit").await;
    // One client hangs up as soon as it has asked, another one after a while.
    for _ in 0..5 {
        {
            let mut asking = pin!(client.acquire(waits));
            poll_fn(|context| {
                let asked = asking.as_mut().poll(context);
                assert!(
                    asked.is_pending(),
                    "the only permit is taken, and a request does not wait"
                );
                Poll::Ready(())
            })
            .await;
        }
        let asking = tokio::time::timeout(MOMENT / 2, client.acquire(waits)).await;
        assert!(
            asking.is_err(),
            "the only permit is taken, and a request does not wait: {asking:?}"
        );
    }
    drop(held);
    let _permit =
        client.enter(rule, "acquiring the permit after all waiting clients hung up").await;
}
