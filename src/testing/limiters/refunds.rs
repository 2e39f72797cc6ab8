//! Promises on refunds. A limiter that [gives nothing back](Limiter::refunds) must keep what it took.

use super::client::{KeyClient, MINUTE, START, TO_MIDNIGHT, TO_OCTOBER, at, remaining};
use crate::limits::ChargeMode::{Force, IfAllowed};
use crate::limits::Limiter;
use crate::quota::{Algorithm, Per, Quota, Verdict};
use crate::testing::fresh::Maker;

pub(super) async fn a_refund_gives_back_what_was_taken(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let general = [
            Quota::new("account", 10, MINUTE).with_algorithm(algorithm),
            Quota::new("key", 20, MINUTE).with_algorithm(algorithm).with_per(Per::Key),
        ];
        let route = [Quota::new("account", 9, MINUTE).with_algorithm(algorithm)];
        client.ask(&general, &route, 2, IfAllowed, START).await;
        let charged = client.ask(&general, &route, 5, IfAllowed, START).await;
        assert_eq!(remaining(&charged), [3, 13, 2], "{algorithm:?}: what remains after a charge");
        // The second refund asks for more than the charge took.
        for (cost, given) in [(3, 3), (99, 5), (0, 0)] {
            let client = KeyClient::new(make).await;
            client.ask(&general, &route, 2, IfAllowed, START).await;
            let charged = client.ask(&general, &route, 5, IfAllowed, START).await;
            let given = if client.refunds() { given } else { 0 };
            let expected = [3 + given, 13 + given, 2 + given];
            let refund = client.refund((&general, &route), (5, START), &charged, cost, START);
            let verdict = refund.await;
            assert_eq!(verdict.retry_after(), None, "{algorithm:?}: a refund is refused");
            let actual = remaining(&verdict);
            assert_eq!(actual, expected, "{algorithm:?}: what a refund of {cost} reports");
            let left = client.ask(&general, &route, 0, IfAllowed, START).await;
            let actual = remaining(&left);
            assert_eq!(actual, expected, "{algorithm:?}: what remains after a refund of {cost}");
        }
    }
}

pub(super) async fn a_refund_never_leaves_more_than_the_limit(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        let charged = client.ask(&quotas, &[], 4, IfAllowed, START).await;
        for _ in 0..3 {
            client.refund((&quotas, &[]), (4, START), &charged, 4, START).await;
        }
        let passes = client.ask(&quotas, &[], 11, IfAllowed, START).await.retry_after().is_none();
        assert!(!passes, "{algorithm:?}: a request over the limit passes after refunds");
        // A subject that was never charged has nothing to give back, and stays unknown.
        let other = KeyClient::new(make).await;
        other.refund((&quotas, &[]), (4, START), &Verdict::passed(), 4, START).await;
        let actual = other.remaining(&quotas, START).await;
        assert_eq!(actual, [10], "{algorithm:?}: what remains of a quota that was never charged");
    }
}

pub(super) async fn a_window_that_is_over_gets_nothing_back(make: &Maker<dyn Limiter>) {
    for (algorithm, over) in [
        (Algorithm::FixedWindow, 60),
        (Algorithm::LeakyBucket, 60),
        (Algorithm::SlidingWindow, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER),
    ] {
        // In the last second the charge still counts, except for what a bucket has drained.
        for (seconds, counts) in [(over - 1, true), (over, false)] {
            let client = KeyClient::new(make).await;
            let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
            let charged = client.ask(&quotas, &[], 6, IfAllowed, START).await;
            let before = client.ask(&quotas, &[], 3, IfAllowed, at(seconds)).await;
            let refund = client.refund((&quotas, &[]), (6, START), &charged, 6, at(seconds));
            let after = remaining(&refund.await);
            let drains = algorithm == Algorithm::LeakyBucket;
            let given = if counts && !drains && client.refunds() { 6 } else { 0 };
            let expected: Vec<u32> = remaining(&before).iter().map(|left| left + given).collect();
            assert_eq!(after, expected, "{algorithm:?}: what remains {seconds} s after a charge");
        }
    }
}

/// A bucket gives back what has not drained, so that no more is left than without the request.
pub(super) async fn a_bucket_gives_back_what_has_not_drained(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(Algorithm::LeakyBucket)];
    let charged = client.ask(&quotas, &[], 5, IfAllowed, START).await;
    // 5 requests take 30 s to drain. After 12 s, 3 of them are left to give back.
    let before = client.ask(&quotas, &[], 2, IfAllowed, at(12)).await;
    assert_eq!(remaining(&before), [5], "what remains of a bucket after 12 s");
    let after = client.refund((&quotas, &[]), (5, START), &charged, 5, at(12)).await;
    let expected = if client.refunds() { 8 } else { 5 };
    assert_eq!(remaining(&after), [expected], "what remains of a bucket after a refund");
}

/// A cost that was taken without room counts, so a refund before it leaves no more than if only that cost had come.
pub(super) async fn a_refund_frees_nothing_that_ran_over(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let quotas = [Quota::new("minute", 60, MINUTE).with_algorithm(algorithm)];
        for (forced, last) in [(59, 1), (60, 0), (1_000, 0), (u32::MAX, 0)] {
            let client = KeyClient::new(make).await;
            let charged = client.ask(&quotas, &[], 50, IfAllowed, START).await;
            client.ask(&quotas, &[], forced, Force, START).await;
            client.refund((&quotas, &[]), (50, START), &charged, 50, START).await;
            let without = KeyClient::new(make).await;
            without.ask(&quotas, &[], forced, Force, START).await;
            let expected = without.remaining(&quotas, START).await;
            assert_eq!(expected, [last], "{algorithm:?}: what remains after a cost of {forced}");
            let left = client.remaining(&quotas, START).await;
            assert!(
                left <= expected,
                "{algorithm:?}: {left:?} of 60 remain after a cost of {forced}, and a refund"
            );
        }
    }
}

/// A shadow quota that had no room took nothing, so nothing goes back to it.
pub(super) async fn a_quota_in_shadow_gets_back_what_it_took(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let quotas = [
            Quota::new("enforced", 20, MINUTE).with_algorithm(algorithm),
            Quota::new("shadow", 8, MINUTE).with_algorithm(algorithm).in_shadow(),
        ];
        for (left, refunded) in [([15, 3], [20, 8]), ([15, 3], [20, 8])] {
            let charged = client.ask(&quotas, &[], 5, IfAllowed, START).await;
            assert_eq!(remaining(&charged), left, "{algorithm:?}: what remains after a charge");
            if !client.refunds() {
                return;
            }
            let refund = client.refund((&quotas, &[]), (5, START), &charged, 5, START);
            assert_eq!(remaining(&refund.await), refunded, "{algorithm:?}: and after a refund");
        }
        client.ask(&quotas, &[], 5, IfAllowed, START).await;
        let unmet = client.ask(&quotas, &[], 5, IfAllowed, START).await;
        assert!(unmet.would_refuse(1), "{algorithm:?}: a shadow quota had room for too much");
        let refund = client.refund((&quotas, &[]), (5, START), &unmet, 5, START).await;
        let actual = remaining(&refund);
        assert_eq!(
            actual,
            [15, 3],
            "{algorithm:?}: what remains after a refund of an unmet charge"
        );
    }
}
