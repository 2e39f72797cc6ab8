//! Promises on quotas in shadow.

use super::client::{Client, MINUTE, START};
use crate::limits::Limiter;
use crate::limits::Taking::{Always, IfRoom, Nothing};
use crate::quota::{Algorithm, Per, Quota, Standing};
use crate::testing::fresh::Maker;

pub(super) async fn a_quota_in_shadow_refuses_nothing(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        for per in [Per::Account, Per::Key] {
            let client = Client::new(make).await;
            let shadow = Quota::new("shadow", 2, MINUTE).counted(algorithm).each(per).in_shadow();
            let quotas = [shadow.clone(), Quota::new("enforced", 5, MINUTE)];
            for round in 1..=5 {
                for (cost, taking) in [(1, Nothing), (1, IfRoom)] {
                    let verdict = client.ask(&quotas, &[], cost, taking, START).await;
                    assert_eq!(verdict.retry_after(), None, "{algorithm:?} {round}");
                    assert_eq!(verdict.would_refuse(0), round > 2, "{algorithm:?} {round}");
                    assert!(!verdict.would_refuse(1));
                }
            }
            assert_eq!(client.remaining(&quotas, START).await, [0, 0], "{algorithm:?}");
            // What others refuse is nothing that the shadow refuses; nor is what is taken anyway.
            for (cost, taking, passes) in
                [(1, IfRoom, false), (0, Nothing, true), (1, Always, true)]
            {
                let verdict = client.ask(&quotas, &[], cost, taking, START).await;
                assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {taking:?}");
                assert_eq!(verdict.shadow_refusals().count(), 0, "{algorithm:?} {taking:?}");
            }
            // Only enforced does it refuse, and then it knows what was used.
            let enforced = [Quota::new("shadow", 2, MINUTE).counted(algorithm).each(per)];
            assert!(!client.passes(&enforced, START).await, "{algorithm:?}");
        }
    }
}

/// It takes nothing for a request that it would refuse, nor for one that others refuse.
pub(super) async fn a_quota_in_shadow_counts_as_if_it_refused(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = Client::new(make).await;
        let quotas = [
            Quota::new("enforced", 20, MINUTE),
            Quota::new("shadow", 10, MINUTE).counted(algorithm).in_shadow(),
            Quota::new("other", 12, MINUTE).counted(algorithm).in_shadow(),
        ];
        for (cost, taking, passes, would_refuse, left) in [
            (7, IfRoom, true, &[][..], [13, 3, 5]),
            (4, IfRoom, true, &[1], [9, 3, 1]),
            (10, IfRoom, false, &[], [9, 3, 1]),
            (4, IfRoom, true, &[1, 2], [5, 3, 1]),
            (4, Nothing, true, &[1, 2], [5, 3, 1]),
            (3, IfRoom, true, &[2], [2, 0, 1]),
            (1, Always, true, &[], [1, 0, 0]),
            (1, IfRoom, true, &[1, 2], [0, 0, 0]),
        ] {
            let verdict = client.ask(&quotas, &[], cost, taking, START).await;
            assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {cost}");
            assert!(verdict.shadow_refusals().eq(would_refuse.iter().copied()), "{verdict:?}");
            let remaining = verdict.standings().iter().map(Standing::remaining);
            assert!(remaining.eq(left), "{algorithm:?} {cost} {verdict:?}");
        }
    }
}
