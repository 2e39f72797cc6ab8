//! Promises on the charge of a request.

use std::time::Duration;

use super::client::{KeyClient, MINUTE, START, TO_MIDNIGHT, TO_OCTOBER, at, first};
use crate::limits::ChargeMode::{Force, IfAllowed, Peek};
use crate::limits::Limiter;
use crate::quota::{Algorithm, Per, Quota, QuotaStatus, Verdict};
use crate::testing::fresh::Maker;

pub(super) async fn all_windows_are_charged_or_none(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let quotas = [
            Quota::new("loose", 10, 60 * MINUTE).with_algorithm(algorithm),
            Quota::new("tight", 3, MINUTE).with_algorithm(algorithm),
            Quota::new("key", 10, 60 * MINUTE).with_algorithm(algorithm).with_per(Per::Key),
        ];
        for _ in 0..3 {
            let passes = client.passes(&quotas, START).await;
            assert!(passes, "{algorithm:?}: a request within all limits is refused");
        }
        for _ in 0..20 {
            let passes = client.passes(&quotas, START).await;
            assert!(!passes, "{algorithm:?}: a request beyond one of three limits passes");
        }
        let remaining = client.remaining(&quotas, START).await;
        assert_eq!(remaining, [7, 0, 7], "{algorithm:?}: what remains after refusals");
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
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 2, MINUTE).with_algorithm(algorithm)];
        for _ in 0..2 {
            let passes = client.passes(&quotas, at(0)).await;
            assert!(passes, "{algorithm:?}: a request within the limit is refused");
        }
        // About a hundred requests.
        let step = usize::try_from(free_after.div_ceil(100)).unwrap_or(usize::MAX);
        for second in (0..free_after).step_by(step) {
            let verdict = client.take(&quotas, at(second)).await;
            let wait = Duration::from_secs(free_after - second);
            let retry_after = verdict.retry_after();
            assert_eq!(
                retry_after,
                Some(wait),
                "{algorithm:?}: retry-after, {second} s after the start"
            );
        }
        let passes = client.passes(&quotas, at(free_after)).await;
        assert!(passes, "{algorithm:?}: a request after the wait is refused");
    }
}

pub(super) async fn remaining_and_reset_are_exact(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let quotas = [Quota::new("minute", 100, MINUTE), Quota::new("hour", 5_000, 60 * MINUTE)];
    let status = |limit, remaining, seconds| {
        QuotaStatus::new(limit, remaining, Duration::from_secs(seconds))
    };
    let first = client.take(&quotas, at(7)).await;
    let expected = [status(100, 99, 60), status(5_000, 4_999, 3_600)];
    assert_eq!(first.statuses(), expected, "after the first request");
    let second = client.take(&quotas, at(60)).await;
    let expected = [status(100, 98, 7), status(5_000, 4_998, 3_547)];
    assert_eq!(second.statuses(), expected, "53 seconds after the first request");
    let third = client.take(&quotas, at(67)).await;
    let expected = [status(100, 99, 60), status(5_000, 4_997, 3_540)];
    assert_eq!(third.statuses(), expected, "60 seconds after the first request");
}

pub(super) async fn a_cost_is_taken_whole_or_not_at_all(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        for (cost, passes, left) in
            [(7, true, 3), (4, false, 3), (11, false, 3), (3, true, 0), (1, false, 0)]
        {
            let verdict = client.ask(&quotas, &[], cost, IfAllowed, START).await;
            let actual = verdict.retry_after().is_none();
            assert_eq!(actual, passes, "{algorithm:?}: whether a request with cost {cost} passes");
            let remaining = first(&verdict).remaining();
            assert_eq!(remaining, left, "{algorithm:?}: what remains after a cost of {cost}");
        }
    }
}

pub(super) async fn asking_takes_nothing(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let quotas = [Quota::new("minute", 1, MINUTE)];
    for _ in 0..5 {
        let refused = client.ask(&quotas, &[], 1, Peek, START).await.retry_after();
        assert_eq!(refused, None, "peeking at a quota with room");
    }
    assert!(client.passes(&quotas, START).await, "peeking used up a quota");
    let refused = client.ask(&quotas, &[], 1, Peek, START).await.retry_after();
    assert_eq!(refused, Some(MINUTE), "peeking at a used up quota");
    let refused = client.ask(&quotas, &[], 0, Peek, START).await.retry_after();
    assert_eq!(refused, None, "peeking with a cost of 0");
}

pub(super) async fn a_cost_found_afterwards_is_taken_even_without_room(make: &Maker<dyn Limiter>) {
    // The bucket drains one request in 6 seconds. So a full one has room for one request after 6
    // seconds.
    for (algorithm, reset, free_after) in [
        (Algorithm::FixedWindow, 60, 60),
        (Algorithm::LeakyBucket, 60, 6),
        (Algorithm::SlidingWindow, 65, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER, TO_OCTOBER),
    ] {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        let reset_after = |verdict: &Verdict| first(verdict).reset_after().as_secs();
        for (cost, left) in [(4, 6), (0, 6), (4, 2), (7, 0), (5, 0)] {
            let verdict = client.ask(&quotas, &[], cost, Force, START).await;
            let refused = verdict.retry_after();
            assert_eq!(refused, None, "{algorithm:?}: a forced charge of {cost} is refused");
            let remaining = first(&verdict).remaining();
            assert_eq!(remaining, left, "{algorithm:?}: what remains after a charge of {cost}");
            let drained = u64::from(10 - left) * 6;
            let expected = if algorithm == Algorithm::LeakyBucket { drained } else { reset };
            let seconds = reset_after(&verdict);
            assert_eq!(
                seconds, expected,
                "{algorithm:?}: seconds to the reset after a charge of {cost}"
            );
        }
        // A charge beyond the limit makes a client wait no longer than a full quota does.
        let refused = client.take(&quotas, START).await;
        let seconds = refused.retry_after().map(|wait| wait.as_secs());
        assert_eq!(
            seconds,
            Some(free_after),
            "{algorithm:?}: the wait after charges beyond the limit"
        );
        let early = client.passes(&quotas, at(free_after - 1)).await;
        assert!(!early, "{algorithm:?}: a request passes one second too early");
        let late = client.passes(&quotas, at(free_after)).await;
        assert!(late, "{algorithm:?}: a request after the wait is refused");
    }
}

pub(super) async fn a_cost_beyond_all_numbers_saturates(make: &Maker<dyn Limiter>) {
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        for now in [at(0), at(5), at(10)] {
            let verdict = client.ask(&quotas, &[], u32::MAX, Force, now).await;
            let remaining = first(&verdict).remaining();
            assert_eq!(remaining, 0, "{algorithm:?}: what remains after the largest cost");
            let passes = client.passes(&quotas, now).await;
            assert!(!passes, "{algorithm:?}: a request passes after the largest cost");
        }
        let passes = client.passes(&quotas, at(10 + 65)).await;
        assert!(passes, "{algorithm:?}: a request is refused 65 seconds after the largest cost");
    }
}

pub(super) async fn a_changed_plan_keeps_what_was_used(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let plan = |limit| [Quota::named("minute", limit, MINUTE)];
    for _ in 0..3 {
        assert!(client.passes(&plan(3), START).await, "a request within the limit is refused");
    }
    assert!(!client.passes(&plan(3), START).await, "a request beyond the limit passes");
    assert!(client.passes(&plan(5), START).await, "a request within a raised limit is refused");
    assert_eq!(client.remaining(&plan(5), START).await, [1], "what remains of a raised limit");
    let passes = client.passes(&plan(2), START).await;
    assert!(!passes, "a request passes after four requests, with the limit lowered to 2");
}
