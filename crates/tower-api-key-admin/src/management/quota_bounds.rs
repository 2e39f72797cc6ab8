//! Whether quotas allow no more than others.

use tower_api_key::quota::{Quota, Quotas};

/// Returns true if quotas hold each of `bounds` back as much: each has one that shares its counter and has no higher
/// limit. Further quotas only hold back more.
pub(super) fn are_within(quotas: Option<&Quotas>, bounds: &Quotas) -> bool {
    let quotas = quotas.map(Quotas::as_slice).unwrap_or_default();
    bounds.as_slice().iter().all(|bound| quotas.iter().any(|quota| is_within(quota, bound)))
}

fn is_within(quota: &Quota, bound: &Quota) -> bool {
    bound.shares_counter(quota)
        && quota.limit() <= bound.limit()
        && (bound.is_in_shadow() || !quota.is_in_shadow())
        && bound.failure_choice() == quota.failure_choice()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tower_api_key::quota::{OnLimiterFailure, Per};

    use super::*;

    #[test]
    fn quotas_are_compared_one_by_one() {
        let second = |limit| Quota::new("second", limit, Duration::from_secs(1));
        let day = |limit| Quota::by_day("day", limit);
        let quotas = |all: &[Quota]| Quotas::new(all.iter().cloned()).unwrap();
        let bounds = quotas(&[second(10), day(100)]);
        for (given, within) in [
            (Some(vec![second(10), day(100)]), true),
            (Some(vec![day(1), second(10)]), true),
            (Some(vec![second(10), day(100), Quota::by_month("month", 5)]), true),
            (Some(vec![second(11), day(100)]), false),
            (Some(vec![second(10)]), false),
            (Some(vec![]), false),
            (None, false),
            (Some(vec![second(10), Quota::by_month("day", 100)]), false),
            (Some(vec![second(10), day(100).in_shadow()]), false),
            (Some(vec![second(10), day(100).with_per(Per::Key)]), false),
            (Some(vec![second(10), day(9).with_failure_choice(OnLimiterFailure::Allow)]), false),
        ] {
            let given = given.map(|given| quotas(&given));
            assert_eq!(are_within(given.as_ref(), &bounds), within, "{given:?}");
        }
        assert!(are_within(None, &quotas(&[])), "no quota holds nothing back");
        let shadow = quotas(&[second(10).in_shadow()]);
        assert!(are_within(Some(&quotas(&[second(10)])), &shadow));
    }
}
