//! Promises on the bound of each algorithm, with random arrivals and with the worst timing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::{KeyClient, START};
use crate::clock::Timestamp;
use crate::limits::Limiter;
use crate::quota::{Algorithm, Quota};
use crate::testing::fresh::Maker;

/// The number of sequences of random arrivals.
const SEQUENCES: u64 = 2;

/// The limit of each quota.
const LIMIT: u32 = 20;

/// The length of the window in milliseconds.
const WINDOW: u64 = 60_000;

/// The length of a day in milliseconds.
const DAY: u64 = 24 * 3_600_000;

fn quota(algorithm: Algorithm) -> [Quota; 1] {
    [Quota::new("minute", LIMIT, Duration::from_millis(WINDOW)).with_algorithm(algorithm)]
}

fn at(milliseconds: u64) -> Timestamp {
    START.plus(Duration::from_millis(milliseconds))
}

/// Returns the most requests that passed in any span shorter than the window.
fn most_in_a_span(passed: &[u64]) -> u32 {
    let within =
        |first: &u64| passed.iter().filter(|ms| (*first..first + WINDOW).contains(*ms)).count();
    let most = passed.iter().map(within).max().unwrap_or(0);
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// Returns the arrivals that pass, in milliseconds.
async fn passing(
    make: &Maker<dyn Limiter>,
    algorithm: Algorithm,
    arrivals: impl Iterator<Item = u64> + Send,
) -> Vec<u64> {
    let (client, quotas, mut passed) = (KeyClient::new(make).await, quota(algorithm), Vec::new());
    for arrival in arrivals {
        if client.passes(&quotas, at(arrival)).await {
            passed.push(arrival);
        }
    }
    passed
}

/// Returns arrivals in milliseconds, from a seeded generator, so that a failure can be repeated.
fn random(seed: u64) -> impl Iterator<Item = u64> + Clone + Send {
    let (mut state, mut now) = (seed, 0);
    (0..6_000).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pause = if state >> 60 == 0 { 40_000 } else { 400 };
        now += (state >> 33) % pause;
        now
    })
}

/// In any span as long as the window, no more requests pass than the documentation of the algorithm says.
pub(super) async fn no_span_has_more_than_the_bound(make: &Maker<dyn Limiter>) {
    for (algorithm, bound) in [
        (Algorithm::FixedWindow, 2 * LIMIT - 1),
        (Algorithm::LeakyBucket, 2 * LIMIT),
        (Algorithm::SlidingWindow, LIMIT),
    ] {
        for seed in 1..=SEQUENCES {
            let passed = passing(make, algorithm, random(seed)).await;
            assert!(
                passed.len() > 10 * LIMIT as usize,
                "{algorithm:?}: only {} requests pass",
                passed.len()
            );
            let most = most_in_a_span(&passed);
            assert!(
                most <= bound,
                "{algorithm:?}: {most} requests pass in one window's length, more than {bound}"
            );
        }
    }
}

/// Exactly the limit passes on each day.
pub(super) async fn a_calendars_periods_pass_exactly_the_limit(make: &Maker<dyn Limiter>) {
    for seed in 1..=SEQUENCES {
        let arrivals = random(seed).map(|arrival| 200 * arrival);
        let mut days = BTreeMap::<u64, u32>::new();
        for arrival in passing(make, Algorithm::CalendarDay, arrivals).await {
            *days.entry(at(arrival).unix_seconds() * 1_000 / DAY).or_default() += 1;
        }
        assert!(days.len() > 10, "requests pass on {} days only", days.len());
        // The arrivals end during the last day.
        days.pop_last();
        assert!(
            days.values().all(|passed| *passed == LIMIT),
            "other than {LIMIT} requests pass on a day: {days:?}"
        );
    }
}

/// The documented bounds are tight: the worst timing reaches them, or is one request below.
pub(super) async fn the_bounds_are_reached(make: &Maker<dyn Limiter>) {
    let each = LIMIT as usize;
    let boundary = std::iter::once(0)
        .chain(std::iter::repeat_n(WINDOW - 1, each))
        .chain(std::iter::repeat_n(WINDOW, each));
    let fixed = passing(make, Algorithm::FixedWindow, boundary).await;
    let after_the_first = fixed.get(1..).unwrap_or_default();
    assert_eq!(
        most_in_a_span(after_the_first),
        2 * LIMIT - 1,
        "the most requests with a fixed window"
    );
    let steady = (0..2 * WINDOW).step_by(100);
    let bucket = passing(make, Algorithm::LeakyBucket, steady.clone()).await;
    assert_eq!(most_in_a_span(&bucket), 2 * LIMIT - 1, "the most requests with a leaky bucket");
    let sliding = passing(make, Algorithm::SlidingWindow, steady).await;
    assert_eq!(most_in_a_span(&sliding), LIMIT, "the most requests with a sliding window");
}
