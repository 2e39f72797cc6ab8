//! Promises on what is charged.

use std::time::Duration;

use super::client::{LimiterClient, MINUTE, START, TO_MIDNIGHT, TO_OCTOBER, at, first};
use crate::limits::ChargeMode::{Force, IfAllowed, Peek};
use crate::limits::Limiter;
use crate::quota::{Algorithm, Per, Quota, QuotaStatus, Verdict};
use crate::testing::fresh::Maker;

pub(super) async fn all_windows_are_charged_or_none(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = LimiterClient::new(make).await;
        let quotas = [
            Quota::new("loose", 10, 60 * MINUTE).with_algorithm(algorithm),
            Quota::new("tight", 3, MINUTE).with_algorithm(algorithm),
            Quota::new("key", 10, 60 * MINUTE).with_algorithm(algorithm).with_per(Per::Key),
        ];
        for _ in 0..3 {
            assert!(client.passes(&quotas, START).await);
        }
        for _ in 0..20 {
            assert!(!client.passes(&quotas, START).await);
        }
        assert_eq!(client.remaining(&quotas, START).await, [7, 0, 7], "{algorithm:?}");
    }
}

pub(super) async fn a_refused_request_makes_no_window_longer(make: &Maker<dyn Limiter>) {
    for (algorithm, free_after) in [
        (Algorithm::FixedWindow, 60),
        (Algorithm::LeakyBucket, 30),
        (Algorithm::SlidingWindow, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER),
    ] {
        let client = LimiterClient::new(make).await;
        let quotas = [Quota::new("minute", 2, MINUTE).with_algorithm(algorithm)];
        assert!(client.passes(&quotas, at(0)).await && client.passes(&quotas, at(0)).await);
        // About a hundred requests.
        let step = usize::try_from(free_after.div_ceil(100)).unwrap_or(usize::MAX);
        for second in (0..free_after).step_by(step) {
            let verdict = client.take(&quotas, at(second)).await;
            let wait = Duration::from_secs(free_after - second);
            assert_eq!(verdict.retry_after(), Some(wait), "{algorithm:?} {second}");
        }
        assert!(client.passes(&quotas, at(free_after)).await, "{algorithm:?}");
    }
}

pub(super) async fn remaining_and_reset_are_exact(make: &Maker<dyn Limiter>) {
    let client = LimiterClient::new(make).await;
    let quotas = [Quota::new("minute", 100, MINUTE), Quota::new("hour", 5_000, 60 * MINUTE)];
    let status = |limit, remaining, seconds| {
        QuotaStatus::new(limit, remaining, Duration::from_secs(seconds))
    };
    let first = client.take(&quotas, at(7)).await;
    assert_eq!(first.statuses(), [status(100, 99, 60), status(5_000, 4_999, 3_600)]);
    let second = client.take(&quotas, at(60)).await;
    assert_eq!(second.statuses(), [status(100, 98, 7), status(5_000, 4_998, 3_547)]);
    let third = client.take(&quotas, at(67)).await;
    assert_eq!(third.statuses(), [status(100, 99, 60), status(5_000, 4_997, 3_540)]);
}

pub(super) async fn a_cost_is_taken_whole_or_not_at_all(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = LimiterClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        for (cost, passes, left) in
            [(7, true, 3), (4, false, 3), (11, false, 3), (3, true, 0), (1, false, 0)]
        {
            let verdict = client.ask(&quotas, &[], cost, IfAllowed, START).await;
            assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {cost}");
            assert_eq!(first(&verdict).remaining(), left, "{algorithm:?} {cost}");
        }
    }
}

pub(super) async fn asking_takes_nothing(make: &Maker<dyn Limiter>) {
    let client = LimiterClient::new(make).await;
    let quotas = [Quota::new("minute", 1, MINUTE)];
    for _ in 0..5 {
        assert!(client.ask(&quotas, &[], 1, Peek, START).await.retry_after().is_none());
    }
    assert!(client.passes(&quotas, START).await);
    assert_eq!(client.ask(&quotas, &[], 1, Peek, START).await.retry_after(), Some(MINUTE));
    assert_eq!(client.ask(&quotas, &[], 0, Peek, START).await.retry_after(), None);
}

pub(super) async fn a_cost_found_afterwards_is_taken_even_without_room(make: &Maker<dyn Limiter>) {
    // The bucket drains one in six seconds, so a full one has room for one again after that.
    for (algorithm, reset, free_after) in [
        (Algorithm::FixedWindow, 60, 60),
        (Algorithm::LeakyBucket, 60, 6),
        (Algorithm::SlidingWindow, 65, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER, TO_OCTOBER),
    ] {
        let client = LimiterClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        let reset_after = |verdict: &Verdict| first(verdict).reset_after().as_secs();
        for (cost, left) in [(4, 6), (0, 6), (4, 2), (7, 0), (5, 0)] {
            let verdict = client.ask(&quotas, &[], cost, Force, START).await;
            assert_eq!(verdict.retry_after(), None, "{algorithm:?} {cost}");
            assert_eq!(first(&verdict).remaining(), left, "{algorithm:?} {cost}");
            let drained = u64::from(10 - left) * 6;
            let expected = if algorithm == Algorithm::LeakyBucket { drained } else { reset };
            assert_eq!(reset_after(&verdict), expected, "{algorithm:?} {cost}");
        }
        // What was taken too much makes nobody wait for longer than a full quota does.
        let refused = client.take(&quotas, START).await;
        assert_eq!(refused.retry_after().map(|wait| wait.as_secs()), Some(free_after));
        assert!(!client.passes(&quotas, at(free_after - 1)).await, "{algorithm:?}");
        assert!(client.passes(&quotas, at(free_after)).await, "{algorithm:?}");
    }
}

pub(super) async fn a_cost_beyond_all_numbers_saturates(make: &Maker<dyn Limiter>) {
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        let client = LimiterClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        for now in [at(0), at(5), at(10)] {
            let verdict = client.ask(&quotas, &[], u32::MAX, Force, now).await;
            assert_eq!(first(&verdict).remaining(), 0, "{algorithm:?}");
            assert!(!client.passes(&quotas, now).await, "{algorithm:?}");
        }
        assert!(client.passes(&quotas, at(10 + 65)).await, "{algorithm:?}");
    }
}

pub(super) async fn a_changed_plan_keeps_what_was_used(make: &Maker<dyn Limiter>) {
    let client = LimiterClient::new(make).await;
    let plan = |limit| [Quota::named("minute", limit, MINUTE)];
    for _ in 0..3 {
        assert!(client.passes(&plan(3), START).await);
    }
    assert!(!client.passes(&plan(3), START).await);
    assert!(client.passes(&plan(5), START).await);
    assert_eq!(client.remaining(&plan(5), START).await, [1]);
    assert!(!client.passes(&plan(2), START).await, "four were used, more than the new limit");
}
