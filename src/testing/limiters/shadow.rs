//! Promises on quotas in shadow.

use super::client::{LimiterClient, MINUTE, START};
use crate::limits::ChargeMode::{Force, IfAllowed, Peek};
use crate::limits::Limiter;
use crate::quota::{Algorithm, Per, Quota, QuotaStatus};
use crate::testing::fresh::Maker;

pub(super) async fn a_quota_in_shadow_refuses_nothing(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        for per in [Per::Account, Per::Key] {
            let client = LimiterClient::new(make).await;
            let shadow =
                Quota::new("shadow", 2, MINUTE).with_algorithm(algorithm).with_per(per).in_shadow();
            let quotas = [shadow.clone(), Quota::new("enforced", 5, MINUTE)];
            for round in 1..=5 {
                for (cost, mode) in [(1, Peek), (1, IfAllowed)] {
                    let verdict = client.ask(&quotas, &[], cost, mode, START).await;
                    assert_eq!(verdict.retry_after(), None, "{algorithm:?} {round}");
                    assert_eq!(verdict.would_refuse(0), round > 2, "{algorithm:?} {round}");
                    assert!(!verdict.would_refuse(1));
                }
            }
            assert_eq!(client.remaining(&quotas, START).await, [0, 0], "{algorithm:?}");
            // What others refuse is nothing that the shadow refuses; nor is what is taken anyway.
            for (cost, mode, passes) in [(1, IfAllowed, false), (0, Peek, true), (1, Force, true)] {
                let verdict = client.ask(&quotas, &[], cost, mode, START).await;
                assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {mode:?}");
                assert_eq!(verdict.shadow_refusals().count(), 0, "{algorithm:?} {mode:?}");
            }
            // Only enforced does it refuse, and then it knows what was used.
            let enforced =
                [Quota::new("shadow", 2, MINUTE).with_algorithm(algorithm).with_per(per)];
            assert!(!client.passes(&enforced, START).await, "{algorithm:?}");
        }
    }
}

/// It takes nothing for a request that it would refuse, nor for one that others refuse.
pub(super) async fn a_quota_in_shadow_counts_as_if_it_refused(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = LimiterClient::new(make).await;
        let quotas = [
            Quota::new("enforced", 20, MINUTE),
            Quota::new("shadow", 10, MINUTE).with_algorithm(algorithm).in_shadow(),
            Quota::new("other", 12, MINUTE).with_algorithm(algorithm).in_shadow(),
        ];
        for (cost, mode, passes, would_refuse, left) in [
            (7, IfAllowed, true, &[][..], [13, 3, 5]),
            (4, IfAllowed, true, &[1], [9, 3, 1]),
            (10, IfAllowed, false, &[], [9, 3, 1]),
            (4, IfAllowed, true, &[1, 2], [5, 3, 1]),
            (4, Peek, true, &[1, 2], [5, 3, 1]),
            (3, IfAllowed, true, &[2], [2, 0, 1]),
            (1, Force, true, &[], [1, 0, 0]),
            (1, IfAllowed, true, &[1, 2], [0, 0, 0]),
        ] {
            let verdict = client.ask(&quotas, &[], cost, mode, START).await;
            assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {cost}");
            assert!(verdict.shadow_refusals().eq(would_refuse.iter().copied()), "{verdict:?}");
            let remaining = verdict.statuses().iter().map(QuotaStatus::remaining);
            assert!(remaining.eq(left), "{algorithm:?} {cost} {verdict:?}");
        }
    }
}
