//! The kit of simultaneous requests can fail: sound permits with any one planted fault do not pass it.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::Reply;
use tower_api_key::concurrency::{
    Acquire, Concurrency, ConcurrencyLimiter, MemoryConcurrency, Permit,
};
use tower_api_key::key::AccountId;
use tower_api_key::limits::LimiterError;
use tower_api_key::testing::{CONCURRENCY_PROMISES, Maker, Promise};

use crate::is_broken;

/// What is wrong with the permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    OneTooMany,
    NobodyIsRefused,
    PlacesAreNeverGivenBack,
    WaitsEndAtOnce,
    TheLastIsServedFirst,
    QueuesHaveNoEnd,
    RoutesShareTheirPlaces,
    WhoGoesAwayKeepsTheQueue,
}

/// Each fault with the promise that it breaks, maybe among others.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::OneTooMany, "never_more_than_the_limit_are_in_flight"),
    (Fault::NobodyIsRefused, "a_full_route_refuses_at_once"),
    (Fault::PlacesAreNeverGivenBack, "a_place_that_is_given_back_is_free"),
    (Fault::WaitsEndAtOnce, "a_wait_ends"),
    (Fault::TheLastIsServedFirst, "who_waits_is_served_in_order"),
    (Fault::QueuesHaveNoEnd, "no_more_wait_than_the_rule_says"),
    (Fault::RoutesShareTheirPlaces, "accounts_and_routes_have_places_of_their_own"),
    (Fault::WhoGoesAwayKeepsTheQueue, "who_goes_away_leaves_no_place_taken"),
];

struct Faulty {
    inner: MemoryConcurrency,
    fault: Fault,
}

impl ConcurrencyLimiter for Faulty {
    fn acquire(&self, entry: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        let (rule, inner) = (entry.rule, self.inner.clone());
        // Nobody waits for longer here, so that a fault shows soon.
        let at_most = |rule: Concurrency| rule.longest_wait().min(Duration::from_secs(1));
        let limited = |limit: u32| {
            let queue = rule.longest_queue();
            Concurrency::new(limit).with_longest_wait(at_most(rule)).with_longest_queue(queue)
        };
        let rule = limited(rule.limit());
        match self.fault {
            Fault::None => inner.acquire(entry),
            Fault::OneTooMany => {
                inner.acquire(Acquire { rule: limited(rule.limit() + 1), ..entry })
            }
            Fault::NobodyIsRefused => Reply::now(Ok(Some(Permit::new(())))),
            Fault::PlacesAreNeverGivenBack => {
                let entered = inner.acquire(Acquire { rule, ..entry });
                Reply::later(async move {
                    let kept = entered.await?.map(std::mem::forget);
                    Ok(kept.map(Permit::new))
                })
            }
            Fault::WaitsEndAtOnce => {
                inner.acquire(Acquire { rule: Concurrency::new(rule.limit()), ..entry })
            }
            Fault::TheLastIsServedFirst => {
                // Whoever is refused asks again, the sooner the later it came.
                let (account, route) = (entry.account.clone(), entry.route.to_owned());
                let began = std::time::Instant::now();
                Reply::later(async move {
                    let rule = Concurrency::new(rule.limit());
                    while began.elapsed() < Duration::from_secs(3) {
                        let entry = Acquire { account: &account, route: &route, rule };
                        if let Some(permit) = inner.acquire(entry).await? {
                            return Ok(Some(permit));
                        }
                        tokio::time::sleep(began.elapsed() / 4 + Duration::from_millis(5)).await;
                    }
                    Ok(None)
                })
            }
            Fault::QueuesHaveNoEnd => {
                inner.acquire(Acquire { rule: rule.with_longest_queue(1_000), ..entry })
            }
            Fault::RoutesShareTheirPlaces => inner.acquire(Acquire { rule, route: "any", ..entry }),
            Fault::WhoGoesAwayKeepsTheQueue => {
                let account: AccountId = entry.account.clone();
                let (route, inner) = (entry.route.to_owned(), Arc::new(inner));
                let asking = tokio::spawn(async move {
                    inner.acquire(Acquire { account: &account, route: &route, rule }).await
                });
                Reply::later(async move { asking.await.unwrap() })
            }
        }
    }
}

fn maker(fault: Fault) -> Maker<dyn ConcurrencyLimiter> {
    Maker::new(move || Faulty { inner: MemoryConcurrency::new(), fault })
}

#[test]
fn the_wrapper_itself_keeps_every_promise() {
    let make = maker(Fault::None);
    for promise in CONCURRENCY_PROMISES {
        assert!(!is_broken(promise, &make), "{}", promise.name());
    }
}

#[test]
fn every_planted_fault_breaks_its_promise() {
    for (fault, name) in FAULTS {
        let promise = CONCURRENCY_PROMISES.iter().find(|promise| promise.name() == *name).unwrap();
        assert!(is_broken(promise, &maker(*fault)), "{fault:?} does not break {name}");
    }
}

#[test]
fn every_promise_is_broken_by_some_fault() {
    let told = |name: &&str| !FAULTS.iter().any(|(_, promise)| promise == name);
    let names = CONCURRENCY_PROMISES.iter().map(Promise::name);
    assert_eq!(names.filter(told).collect::<Vec<_>>(), [""; 0]);
}
