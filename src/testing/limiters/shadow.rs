//! Promises on shadow quotas, which refuse nothing.

use super::client::{KeyClient, MINUTE, START};
use crate::limits::ChargeMode::{Force, IfAllowed, Peek};
use crate::limits::Limiter;
use crate::quota::{Algorithm, Per, Quota, QuotaStatus};
use crate::testing::fresh::Maker;

pub(super) async fn a_quota_in_shadow_refuses_nothing(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        for per in [Per::Account, Per::Key] {
            let client = KeyClient::new(make).await;
            let shadow =
                Quota::new("shadow", 2, MINUTE).with_algorithm(algorithm).with_per(per).in_shadow();
            let quotas = [shadow.clone(), Quota::new("enforced", 5, MINUTE)];
            for round in 1..=5 {
                for (cost, mode) in [(1, Peek), (1, IfAllowed)] {
                    let verdict = client.ask(&quotas, &[], cost, mode, START).await;
                    let (refused, shadow) = (verdict.retry_after(), verdict.would_refuse(0));
                    assert_eq!(refused, None, "{algorithm:?}: a shadow quota refuses, {round}");
                    assert_eq!(shadow, round > 2, "{algorithm:?}: whether it would, {round}");
                    let enforced = verdict.would_refuse(1);
                    assert!(!enforced, "{algorithm:?}: an enforced quota counts as shadow");
                }
            }
            let remaining = client.remaining(&quotas, START).await;
            assert_eq!(remaining, [0, 0], "{algorithm:?}: what remains of both quotas");
            // A shadow quota reports no refusal for a request that another quota refuses, nor for a
            // forced charge.
            for (cost, mode, passes) in [(1, IfAllowed, false), (0, Peek, true), (1, Force, true)] {
                let verdict = client.ask(&quotas, &[], cost, mode, START).await;
                let actual = verdict.retry_after().is_none();
                assert_eq!(actual, passes, "{algorithm:?} {mode:?}: whether a request passes");
                let shadow = verdict.shadow_refusals().count();
                assert_eq!(shadow, 0, "{algorithm:?} {mode:?}: the number of shadow refusals");
            }
            // The quota keeps its count when it is enforced, and refuses then.
            let enforced =
                [Quota::new("shadow", 2, MINUTE).with_algorithm(algorithm).with_per(per)];
            let passes = client.passes(&enforced, START).await;
            assert!(
                !passes,
                "{algorithm:?}: an enforced quota lost the count that it had in shadow"
            );
        }
    }
}

/// A shadow quota counts neither a request that it would refuse nor a request that another quota refuses.
pub(super) async fn a_quota_in_shadow_counts_as_if_it_refused(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
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
            let actual = verdict.retry_after().is_none();
            assert_eq!(actual, passes, "{algorithm:?}: whether a request with cost {cost} passes");
            let shadow: Vec<_> = verdict.shadow_refusals().collect();
            assert_eq!(shadow, would_refuse, "{algorithm:?}: the shadow quotas that would refuse");
            let remaining = verdict.statuses().iter().map(QuotaStatus::remaining);
            let remaining: Vec<_> = remaining.collect();
            assert_eq!(remaining, left, "{algorithm:?}: what remains after a cost of {cost}");
        }
    }
}
