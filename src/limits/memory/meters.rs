//! The meters of one request, which are charged all or nothing.

use super::super::limiter::{Charge, ChargeMode, Refund};
use super::meter::{Meter, Taken};
use crate::clock::Timestamp;
use crate::quota::{Per, Quota, Verdict};

/// The meters that one request is charged to. A meter is `None` if no quota counts by its kind of subject.
pub(super) struct Meters<'a> {
    pub(super) account: Option<&'a mut Meter>,
    pub(super) key: Option<&'a mut Meter>,
}

impl Meters<'_> {
    /// Charges all quotas of a request, or none. [`ChargeMode::Force`] charges all of them.
    ///
    /// Fills the caller's verdict. A verdict returned by value would be copied just after it was written,
    /// which stalls the processor for 10 ns.
    pub(super) fn charge(&mut self, charge: &Charge<'_>, verdict: &mut Verdict) {
        // A loop over one slice takes half the instructions of a loop over two. Code for quotas in shadow
        // takes a fifth more. Most requests need neither.
        if charge.quotas.any(Quota::is_in_shadow) {
            self.charge_each::<true>(charge, charge.quotas.iter(), verdict);
        } else if charge.quotas.route.is_empty() {
            let general = charge.quotas.general.iter().map(|quota| (quota, false));
            self.charge_each::<false>(charge, general, verdict);
        } else {
            self.charge_each::<false>(charge, charge.quotas.iter(), verdict);
        }
    }

    fn charge_each<'q, const SHADOWS: bool>(
        &mut self,
        charge: &Charge<'_>,
        quotas: impl Iterator<Item = (&'q Quota, bool)> + Clone,
        verdict: &mut Verdict,
    ) {
        let at = self.in_order(charge.now);
        verdict.set_taken_at(at);
        let mut wait = 0;
        if let Some(meter) = &mut self.account {
            wait = meter.ask::<SHADOWS>(quotas.clone(), Per::Account, at, charge.cost);
        }
        if let Some(meter) = &mut self.key {
            wait = meter.ask::<SHADOWS>(quotas.clone(), Per::Key, at, charge.cost).max(wait);
        }
        // The waits of the verdict count from the request's own instant.
        let ahead = at.nanoseconds_since(charge.now);
        let cost = match charge.mode {
            ChargeMode::Force => charge.cost,
            ChargeMode::IfAllowed if wait == 0 => charge.cost,
            ChargeMode::IfAllowed | ChargeMode::Peek => 0,
        };
        if wait > 0 && charge.mode != ChargeMode::Force {
            verdict.refuse_for(wait.saturating_add(ahead));
        }
        let asked = if wait == 0 && charge.mode != ChargeMode::Force { charge.cost } else { 0 };
        let taken = Taken { cost, asked, at, ahead };
        if let Some(meter) = &mut self.account {
            meter.take::<SHADOWS>(quotas.clone(), Per::Account, taken, verdict);
        }
        if let Some(meter) = &mut self.key {
            meter.take::<SHADOWS>(quotas, Per::Key, taken, verdict);
        }
    }

    /// Gives back the cost of a charge, and fills the verdict with what is left.
    pub(super) fn refund(&mut self, refund: &Refund<'_>, verdict: &mut Verdict) {
        let quotas = refund.charge.quotas.iter();
        let at = self.in_order(refund.now);
        let ahead = at.nanoseconds_since(refund.now);
        let nothing = Taken { cost: 0, asked: 0, at, ahead };
        for (meter, per) in [(&mut self.account, Per::Account), (&mut self.key, Per::Key)] {
            let Some(meter) = meter else { continue };
            meter.ask::<true>(quotas.clone(), per, at, 0);
            let own = quotas.clone().enumerate().filter(|(_, (quota, _))| quota.per() == per);
            for ((index, (quota, _)), counter) in own.zip(meter.counters()) {
                counter.refund(quota, at, refund.taken_at(), refund.cost_of(index));
            }
            meter.take::<true>(quotas.clone(), per, nothing, verdict);
        }
    }

    /// Puts the request's instant in order with those of all its meters.
    fn in_order(&mut self, mut now: Timestamp) -> Timestamp {
        if let Some(account) = &mut self.account {
            now = account.in_order(now);
        }
        if let Some(key) = &mut self.key {
            now = key.in_order(now);
            if let Some(account) = &mut self.account {
                account.set_latest(now);
            }
        }
        now
    }
}
