//! The fallback while a limiter cannot answer.

use std::sync::OnceLock;
use std::time::Duration;

use super::limiter::{Charge, ChargeMode, Limiter, Refund};
use super::limiter_fallback::LimiterFallback;
use super::memory::MemoryLimiter;
use crate::quota::{AppliedQuotas, OnLimiterFailure, Quota, QuotaStatus, Verdict};

/// Decides about charges while the limiter cannot answer, by the choice of each quota.
#[derive(Debug, Default)]
pub(crate) struct FallbackLimiter {
    // Created at first use.
    local: OnceLock<MemoryLimiter>,
}

impl FallbackLimiter {
    /// Decides about a charge. `otherwise` is the choice of quotas without a choice of their own. Quotas in
    /// shadow refuse nothing, whatever their choice is.
    pub(crate) fn charge(
        &self,
        charge: &Charge<'_>,
        otherwise: OnLimiterFailure,
    ) -> (LimiterFallback, Verdict) {
        let choice = |quota: &Quota| match choice(quota, otherwise) {
            // The request was served already, so it cannot be refused.
            OnLimiterFailure::Deny if charge.mode == ChargeMode::Force => OnLimiterFailure::Allow,
            choice => choice,
        };
        if charge.quotas.any(|quota| choice(quota) == OnLimiterFailure::Deny) {
            return (LimiterFallback::Denied, Verdict::passed());
        }
        let general = shares(charge.quotas.general, choice);
        let route = shares(charge.quotas.route, choice);
        let quotas = AppliedQuotas { general: &general, route: &route };
        if quotas.is_empty() {
            return (LimiterFallback::Allowed, Verdict::passed());
        }
        let local = self.local.get_or_init(MemoryLimiter::new);
        match local.charge(Charge { quotas, ..*charge }).into_now() {
            Ok(Ok(counted)) => {
                let is_local = |quota: &Quota| matches!(choice(quota), OnLimiterFailure::Local(_));
                (LimiterFallback::Local, spread(charge.quotas, &counted, is_local))
            }
            // The limiter is full of active accounts, and must not forget one.
            Ok(Err(_)) | Err(_) if charge.mode == ChargeMode::Force => {
                (LimiterFallback::Allowed, Verdict::passed())
            }
            Ok(Err(_)) | Err(_) => (LimiterFallback::Denied, Verdict::passed()),
        }
    }

    /// Gives back a cost that was counted in this process. Returns `None` if nothing is counted here.
    pub(crate) fn refund(
        &self,
        refund: &Refund<'_>,
        otherwise: OnLimiterFailure,
    ) -> Option<Verdict> {
        let local = self.local.get()?;
        let choice = |quota: &Quota| choice(quota, otherwise);
        let all = refund.charge.quotas;
        let (general, route) = (shares(all.general, choice), shares(all.route, choice));
        let quotas = AppliedQuotas { general: &general, route: &route };
        let charge = Charge { quotas, ..refund.charge };
        // The indices of the shares are others, but no share is in shadow.
        let mut verdict = Verdict::passed();
        verdict.set_taken_at(refund.verdict.taken_at().unwrap_or_default());
        let refund = Refund { charge, verdict: &verdict, ..*refund };
        let counted = local.refund(refund).into_now().ok()?.ok()?;
        Some(spread(all, &counted, |quota| matches!(choice(quota), OnLimiterFailure::Local(_))))
    }
}

/// Returns the choice of a quota. Quotas in shadow refuse nothing.
fn choice(quota: &Quota, otherwise: OnLimiterFailure) -> OnLimiterFailure {
    if quota.is_in_shadow() {
        return OnLimiterFailure::Allow;
    }
    quota.failure_choice().unwrap_or(otherwise)
}

/// Returns this process's shares of the quotas that choose to be counted here.
fn shares(quotas: &[Quota], choice: impl Fn(&Quota) -> OnLimiterFailure) -> Vec<Quota> {
    let share = |quota: &Quota| match choice(quota) {
        OnLimiterFailure::Local(share) => {
            Some(quota.clone().limited_to(share.limit(quota.limit())))
        }
        OnLimiterFailure::Deny | OnLimiterFailure::Allow => None,
    };
    quotas.iter().filter_map(share).collect()
}

/// Returns a verdict on all quotas, from one on the counted quotas alone. Puts each status at its quota's
/// index.
fn spread(
    quotas: AppliedQuotas<'_>,
    counted: &Verdict,
    is_counted: impl Fn(&Quota) -> bool,
) -> Verdict {
    let mut verdict = Verdict::passed();
    verdict.set_taken_at(counted.taken_at().unwrap_or_default());
    if counted.is_counted_together() {
        verdict.set_counted_together();
    }
    let mut statuses = counted.statuses().iter();
    for (quota, _) in quotas.iter() {
        match statuses.as_slice().first().filter(|_| is_counted(quota)) {
            Some(status) => {
                verdict.push(*status);
                statuses.next();
            }
            None => {
                verdict.push_unknown(QuotaStatus::new(
                    quota.limit(),
                    quota.limit(),
                    Duration::ZERO,
                ));
            }
        }
    }
    if let Some(wait) = counted.retry_after() {
        verdict.refuse(wait);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::caller::Caller;
    use crate::clock::Timestamp;
    use crate::key::{Account, KeyRecord};
    use crate::quota::Share;

    const DENY: OnLimiterFailure = OnLimiterFailure::Deny;
    const ALLOW: OnLimiterFailure = OnLimiterFailure::Allow;
    const HALF: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));

    fn charge(
        limiter: &FallbackLimiter,
        quotas: &[Quota],
        otherwise: OnLimiterFailure,
        (cost, mode): (u32, ChargeMode),
    ) -> (LimiterFallback, Verdict) {
        let account = Account::builder("acme").build().unwrap();
        let record = &KeyRecord::builder("key", account).build().unwrap();
        let quotas = AppliedQuotas { general: quotas, route: &[] };
        let (caller, now) = (Caller::Key(record), Timestamp::from_unix_seconds(1_000));
        limiter.charge(&Charge { caller, quotas, cost, mode, now }, otherwise)
    }

    fn quota(name: &'static str, limit: u32) -> Quota {
        Quota::new(name, limit, Duration::from_secs(60))
    }

    #[test]
    fn the_quotas_choose_and_one_that_denies_outweighs_the_rest() {
        use LimiterFallback::{Allowed, Denied, Local};
        let own = |choice| quota("own", 9).with_failure_choice(choice);
        let dark = |choice| quota("dark", 9).with_failure_choice(choice).in_shadow();
        for (quotas, otherwise, expected) in [
            (vec![quota("a", 9)], DENY, Denied),
            (vec![quota("a", 9)], ALLOW, Allowed),
            (vec![quota("a", 9)], HALF, Local),
            (vec![quota("a", 9), own(DENY)], ALLOW, Denied),
            (vec![quota("a", 9), own(DENY)], HALF, Denied),
            (vec![quota("a", 9), own(ALLOW)], DENY, Denied),
            (vec![quota("a", 9), own(ALLOW)], HALF, Local),
            (vec![quota("a", 9), own(HALF)], ALLOW, Local),
            (vec![own(ALLOW)], DENY, Allowed),
            (vec![own(HALF)], DENY, Local),
            (vec![dark(DENY)], DENY, Allowed),
            (vec![own(HALF), dark(DENY)], DENY, Local),
        ] {
            let limiter = FallbackLimiter::default();
            let (fallback, verdict) =
                charge(&limiter, &quotas, otherwise, (1, ChargeMode::IfAllowed));
            assert_eq!(fallback, expected, "{quotas:?} {otherwise:?}");
            assert_eq!(verdict.retry_after(), None);
            // A request that was served is never refused.
            let (fallback, _) = charge(&limiter, &quotas, otherwise, (1, ChargeMode::Force));
            assert_ne!(fallback, Denied, "{quotas:?} {otherwise:?}");
        }
    }

    #[test]
    fn local_quotas_count_against_the_share_all_or_nothing() {
        let limiter = FallbackLimiter::default();
        let quotas = [
            quota("wide", 40).with_failure_choice(HALF),
            quota("uncounted", 7).with_failure_choice(ALLOW),
            quota("tight", 9).with_failure_choice(HALF),
        ];
        for (cost, passes, wide, tight) in
            [(1, true, 19, 3), (3, true, 16, 0), (1, false, 16, 0), (0, true, 16, 0)]
        {
            let (_, verdict) = charge(&limiter, &quotas, DENY, (cost, ChargeMode::IfAllowed));
            assert_eq!(verdict.retry_after().is_none(), passes, "{cost}");
            let limits = verdict.statuses().iter().map(|it| (it.limit(), it.remaining()));
            assert!(limits.eq([(20, wide), (7, 7), (4, tight)]), "{verdict:?}");
            assert_eq!(verdict.nearest().map(|(index, _)| index), Some(2), "of what is known");
        }
        let (_, verdict) = charge(&limiter, &quotas, DENY, (17, ChargeMode::Force));
        assert!(verdict.statuses().iter().map(QuotaStatus::remaining).eq([0, 7, 0]));
    }

    #[test]
    fn a_served_request_is_never_denied_by_a_full_local_limiter() {
        let limiter = FallbackLimiter::default();
        let local = limiter.local.get_or_init(|| MemoryLimiter::with_capacity(1));
        let quotas = [quota("minute", 9)];
        let applicable = AppliedQuotas { general: &quotas, route: &[] };
        let (cost, now) = (1, Timestamp::from_unix_seconds(1_000));
        for number in 0..10_000 {
            let record = &KeyRecord::bare("key", &number.to_string());
            let (caller, mode) = (Caller::Key(record), ChargeMode::IfAllowed);
            drop(local.charge(Charge { caller, quotas: applicable, cost, mode, now }));
        }
        for (mode, expected) in [
            (ChargeMode::IfAllowed, LimiterFallback::Denied),
            (ChargeMode::Force, LimiterFallback::Allowed),
        ] {
            assert_eq!(charge(&limiter, &quotas, HALF, (cost, mode)).0, expected);
        }
    }

    /// A limiter that always falls back to local counting. It does not count quotas in shadow.
    #[cfg(feature = "testing")]
    #[test]
    fn local_counting_keeps_the_promises_of_a_limiter() {
        use crate::Reply;
        use crate::limits::{Limiter, LimiterError};
        use crate::testing::{LIMITER_PROMISES, Maker};

        struct Local(FallbackLimiter);

        const ALL: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::MIN));

        impl Limiter for Local {
            fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
                Reply::now(Ok(self.0.charge(&charge, ALL).1))
            }

            fn refunds(&self) -> bool {
                true
            }

            fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
                let refunded = self.0.refund(&refund, ALL);
                Reply::now(Ok(refunded.unwrap_or_default()))
            }
        }

        let make = Maker::<dyn Limiter>::new(|| Local(FallbackLimiter::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let promises =
            LIMITER_PROMISES.iter().filter(|promise| !promise.name().contains("in_shadow"));
        assert_eq!(promises.clone().count(), LIMITER_PROMISES.len() - 3);
        for promise in promises {
            runtime.block_on(promise.check(&make));
        }
    }
}
