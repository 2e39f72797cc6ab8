//! Schedules of requests, in any order and with clocks that are set: what the memory limiter passes.

use std::time::Duration;

use proptest::prelude::*;
use tower_api_key::caller::Caller;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota, QuotaStatus};

use super::support::account;

const SECOND: u64 = 1_000;
/// The first instant, in milliseconds: some day at noon.
const START: u64 = 1_000_000_000 * SECOND;

/// What happens between two requests.
#[derive(Debug, Clone, Copy)]
enum Pause {
    /// So many milliseconds go by.
    Passing(u64),
    /// The next request read its clock so many milliseconds early, and comes late.
    Late(u64),
    /// The clock is set back, by more than what lateness explains.
    SetBack(u64),
}

fn pause(window: u64, with_steps: bool) -> impl Strategy<Value = Pause> {
    prop_oneof![
        12 => Just(Pause::Passing(0)),
        8 => (0..window / 8).prop_map(Pause::Passing),
        2 => prop::sample::select(vec![window - 1, window, window / 12, window + 1])
            .prop_map(Pause::Passing),
        3 => (0..=SECOND).prop_map(Pause::Late),
        u32::from(with_steps) => (SECOND + 1..20 * window).prop_map(Pause::SetBack),
    ]
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(
        &[Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow][..],
    )
}

/// The most that may pass in any span shorter than the window, as the algorithm's documentation says.
fn bound(algorithm: Algorithm, limit: u32) -> u32 {
    match algorithm {
        Algorithm::FixedWindow => 2 * limit - 1,
        Algorithm::LeakyBucket => 2 * limit,
        _ => limit,
    }
}

/// A limiter, a key and the instants at which its requests passed.
struct Client {
    limiter: MemoryLimiter,
    record: KeyRecord,
    quotas: Vec<Quota>,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    fn new(quotas: Vec<Quota>) -> Self {
        Self {
            limiter: MemoryLimiter::new(),
            record: KeyRecord::builder("key_1", account("acme")).build().unwrap(),
            quotas,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        }
    }

    /// Asks at an instant, in milliseconds; returns the time to wait if refused.
    fn take(&self, milliseconds: u64, cost: u32) -> Option<Duration> {
        let charge = self.limiter.charge(Charge {
            caller: Caller::Key(&self.record),
            quotas: AppliedQuotas { general: &self.quotas, route: &[] },
            cost,
            mode: ChargeMode::IfAllowed,
            now: Timestamp::from_unix_nanoseconds(milliseconds * 1_000_000),
        });
        self.runtime.block_on(charge).unwrap().retry_after()
    }

    fn left(&self, milliseconds: u64) -> Vec<u32> {
        let charge = self.limiter.charge(Charge {
            caller: Caller::Key(&self.record),
            quotas: AppliedQuotas { general: &self.quotas, route: &[] },
            cost: 0,
            mode: ChargeMode::Peek,
            now: Timestamp::from_unix_nanoseconds(milliseconds * 1_000_000),
        });
        let verdict = self.runtime.block_on(charge).unwrap();
        verdict.statuses().iter().map(QuotaStatus::remaining).collect()
    }
}

/// The most that passed in any span shorter than the window.
fn most(passed: &[(u64, u32)], window: u64) -> u32 {
    let from = |(first, _): &(u64, u32)| {
        let within = passed.iter().filter(|(at, _)| (*first..first + window).contains(at));
        within.map(|(_, cost)| cost).sum()
    };
    passed.iter().map(from).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn no_order_of_requests_passes_more_than_the_bound(
        algorithm in algorithm(),
        limit in 1..12u32,
        seconds in 1..90u64,
        schedule in prop::collection::vec((pause(60 * SECOND, true), 1..4u32), 1..250),
    ) {
        let window = seconds * SECOND;
        let quota = Quota::new("any", limit, Duration::from_millis(window)).with_algorithm(algorithm);
        let client = Client::new(vec![quota]);
        // `latest` is what the limiter takes for now, whoever comes late.
        let mut latest = START;
        let mut passed = Vec::new();
        for (place, (pause, cost)) in schedule.into_iter().enumerate() {
            let now = match pause {
                Pause::Passing(time) => {
                    latest += time * seconds / 60;
                    latest
                }
                // Nobody is late whom nobody came before.
                Pause::Late(_) if place == 0 => latest,
                Pause::Late(time) => latest - time,
                Pause::SetBack(time) => {
                    // Spans begin anew where the clock does, but what was used is not forgotten.
                    let bound = bound(algorithm, limit);
                    prop_assert!(most(&passed, window) <= bound, "{:?}", passed);
                    passed.clear();
                    latest -= time.min(latest);
                    latest
                }
            };
            if client.take(now, cost).is_none() {
                passed.push((latest, cost));
            }
        }
        prop_assert!(most(&passed, window) <= bound(algorithm, limit), "{:?}", passed);
    }

    /// A clock set back lends nothing: what was used counts on, for a window and a second at most.
    #[test]
    fn a_clock_set_back_neither_lends_nor_locks_out(
        algorithm in algorithm(),
        limit in 1..12u32,
        seconds in 1..90u64,
        back in SECOND + 1..1_000 * SECOND,
    ) {
        let window = seconds * SECOND;
        let quota = Quota::new("any", limit, Duration::from_millis(window)).with_algorithm(algorithm);
        let client = Client::new(vec![quota]);
        while client.take(START, 1).is_none() {}
        let now = START - back;
        prop_assert!(client.take(now, 1).is_some(), "the limit is used up, whatever the clock says");
        // A sliding window is counted in twelfths, and ends with one of them.
        let sliding = algorithm == Algorithm::SlidingWindow;
        let twelfth = if sliding { window.div_ceil(12) } else { 0 };
        prop_assert_eq!(client.take(now + window + twelfth + SECOND, 1), None);
    }

    /// What one quota refuses takes nothing from another, and a wait that is told is enough.
    #[test]
    fn refusals_take_nothing_and_waits_are_true(
        algorithms in [algorithm(), algorithm()],
        limits in [1..8u32, 1..20u32],
        schedule in prop::collection::vec((pause(10 * SECOND, false), 0..4u32), 1..80),
    ) {
        let quotas = vec![
            Quota::new("short", limits[0], Duration::from_secs(10)).with_algorithm(algorithms[0]),
            Quota::new("long", limits[1], Duration::from_secs(60)).with_algorithm(algorithms[1]),
        ];
        let client = Client::new(quotas);
        let mut latest = START;
        for (pause, cost) in schedule {
            let now = match pause {
                Pause::Passing(time) => {
                    latest += time;
                    latest
                }
                Pause::Late(time) | Pause::SetBack(time) => latest - time.min(SECOND),
            };
            let before = client.left(now);
            let wait = client.take(now, cost);
            let after = client.left(now);
            if let Some(wait) = wait {
                prop_assert_eq!(before, after);
                let nothing_would_do = limits.iter().any(|limit| cost > *limit);
                let then = now.max(latest) + u64::try_from(wait.as_millis()).unwrap() + 1;
                if !nothing_would_do {
                    latest = then;
                    prop_assert_eq!(client.take(then, cost), None, "after {:?}", wait);
                }
            } else {
                for (before, after) in before.iter().zip(&after) {
                    prop_assert_eq!(*before, after + cost);
                }
            }
        }
    }
}
