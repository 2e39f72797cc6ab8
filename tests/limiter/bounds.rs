//! The bound of each algorithm, under random arrivals and against the worst timing.

use std::collections::BTreeMap;
use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::quota::{Algorithm, Quota};

use crate::Make;
use crate::suite::{Client, START};

const LIMIT: usize = 20;
const WINDOW: u64 = 60_000;

fn quota(algorithm: Algorithm) -> [Quota; 1] {
    let limit = u32::try_from(LIMIT).unwrap();
    [Quota::new("minute", limit, Duration::from_millis(WINDOW)).counted(algorithm)]
}

fn at(milliseconds: u64) -> Timestamp {
    START.plus(Duration::from_millis(milliseconds))
}

/// The most requests that pass in any span shorter than the window.
fn most_in_a_span(passed: &[u64]) -> usize {
    let within =
        |first: &u64| passed.iter().filter(|ms| (*first..first + WINDOW).contains(*ms)).count();
    passed.iter().map(within).max().unwrap_or(0)
}

async fn passing(
    make: Make<'_>,
    algorithm: Algorithm,
    arrivals: impl Iterator<Item = u64>,
) -> Vec<u64> {
    let (client, quotas, mut passed) = (Client::new(make), quota(algorithm), Vec::new());
    for arrival in arrivals {
        if client.take(&quotas, at(arrival)).await.retry_after().is_none() {
            passed.push(arrival);
        }
    }
    passed
}

/// Arrivals of a small generator of its own, so that a failure repeats.
fn random(seed: u64) -> impl Iterator<Item = u64> + Clone {
    let (mut state, mut now) = (seed, 0);
    (0..6_000).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pause = if state >> 60 == 0 { 40_000 } else { 400 };
        now += (state >> 33) % pause;
        now
    })
}

/// Tries so many sequences of random arrivals.
pub(crate) async fn run(make: Make<'_>, sequences: u64) {
    for (algorithm, bound) in [
        (Algorithm::FixedWindow, 2 * LIMIT - 1),
        (Algorithm::LeakyBucket, 2 * LIMIT),
        (Algorithm::SlidingWindow, LIMIT),
    ] {
        for seed in 1..=sequences {
            let passed = passing(make, algorithm, random(seed)).await;
            assert!(passed.len() > 10 * LIMIT, "{algorithm:?} passes hardly any");
            let most = most_in_a_span(&passed);
            assert!(most <= bound, "{algorithm:?}: {most} in one window's length");
        }
    }
    the_bounds_are_reached(make).await;
    a_calendars_periods_pass_exactly_the_limit(make, sequences).await;
}

/// In each day exactly the limit, and never more than twice of it in a day's length.
async fn a_calendars_periods_pass_exactly_the_limit(make: Make<'_>, sequences: u64) {
    const DAY: u64 = 24 * 3_600_000;
    for seed in 1..=sequences {
        let arrivals = random(seed).map(|arrival| 200 * arrival);
        let mut days = BTreeMap::<u64, usize>::new();
        let passed = passing(make, Algorithm::CalendarDay, arrivals.clone()).await;
        for arrival in &passed {
            *days.entry(at(*arrival).unix_seconds() * 1_000 / DAY).or_default() += 1;
        }
        assert!(days.len() > 10, "{} days are few", days.len());
        // The last day is cut short.
        days.pop_last();
        assert!(days.values().all(|passed| *passed == LIMIT), "{days:?}");
    }
}

/// The stated bounds are not loose: the worst timing gets there, or within one request of it.
async fn the_bounds_are_reached(make: Make<'_>) {
    let boundary = std::iter::once(0)
        .chain(std::iter::repeat_n(WINDOW - 1, LIMIT))
        .chain(std::iter::repeat_n(WINDOW, LIMIT));
    let fixed = passing(make, Algorithm::FixedWindow, boundary).await;
    assert_eq!(most_in_a_span(&fixed[1..]), 2 * LIMIT - 1);
    let steady = (0..2 * WINDOW).step_by(100);
    let bucket = passing(make, Algorithm::LeakyBucket, steady.clone()).await;
    assert_eq!(most_in_a_span(&bucket), 2 * LIMIT - 1);
    let sliding = passing(make, Algorithm::SlidingWindow, steady).await;
    assert_eq!(most_in_a_span(&sliding), LIMIT);
}
