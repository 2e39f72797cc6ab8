//! Reads the counters of keys, and gives used-up quota back.

use std::sync::Arc;

use tower_api_key::caller::Caller as Counted;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError, LimiterFallback, Refund};
use tower_api_key::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};
use tower_api_key::store::{Command, Difference, Precondition, StoreError};

use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::management::Management;
use super::scopes::{USAGE_READ, USAGE_WRITE};

/// What is left of one quota of a key.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CounterEntry {
    /// The quota. Keys of an account count together, unless the quota counts each key apart.
    pub quota: Quota,
    /// What is left of it.
    pub status: QuotaStatus,
}

impl Management {
    /// Reads the counters of a key: its own quotas, or those of its account, its plan or the profile. Quotas of routes are
    /// not among them.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `usage.read`; [`ManagementError::NotFound`] if the caller sees no such
    /// key; [`ManagementError::NotOffered`] without a limiter; [`ManagementError::Unavailable`] if it cannot answer.
    pub async fn read_counters(
        &self,
        caller: &Caller,
        key: &str,
    ) -> Result<Vec<CounterEntry>, ManagementError> {
        caller.require(USAGE_READ)?;
        let entry = self.seen_key(caller, key).await?;
        let (limiter, quotas) = self.counted(&entry.record)?;
        let verdict = self.peek(&*limiter, &entry.record, &quotas).await?;
        Ok(entries(quotas, &verdict))
    }

    /// Gives used-up quota of a key back: `cost` requests, or all with `None`. Returns the counters afterwards.
    ///
    /// The trail gets its line before the counter changes, because counters are not in the store. If the limiter fails
    /// then, the line stays. A request that is sent again with the same idempotency key gives nothing back.
    ///
    /// Two of these at once may also give back what was used between them, because each reads the counter before it gives
    /// back.
    ///
    /// To raise a limit for longer than the present window, edit the quotas of the account or the key: their counters
    /// stay.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `usage.write`; [`ManagementError::OperatorsOnly`] for owners;
    /// [`ManagementError::NotFound`] if there is no such key, or it has no such quota; [`ManagementError::NotGrantable`] for
    /// a key of operators, if the caller's key has quotas and not `keys.grant-any`; [`ManagementError::NotOffered`] if the
    /// limiter gives nothing back; [`ManagementError::IdempotencyKeyReused`] if the idempotency key was used for
    /// something else; [`ManagementError::Unavailable`] if the store or the limiter cannot answer.
    pub async fn give_back(
        &self,
        caller: &Caller,
        key: &str,
        quota: &str,
        cost: Option<u32>,
        request: &ChangeRequest<'_>,
    ) -> Result<Vec<CounterEntry>, ManagementError> {
        // Who may give nothing back learns of no key.
        caller.require_operator(USAGE_WRITE)?;
        let entry = self.seen_key(caller, key).await?;
        let (limiter, quotas) = self.check_refund(caller, &entry.record)?;
        let named = quotas.iter().find(|listed| listed.name() == quota);
        let named = named.ok_or(ManagementError::NotFound("quota of this key"))?;
        let one = std::slice::from_ref(named);
        let mut verdict = self.peek(&*limiter, &entry.record, one).await?;
        let status = verdict.statuses().first().copied().unwrap_or_default();
        let used = status.limit().saturating_sub(status.remaining());
        let cost = cost.map_or(used, |cost| cost.min(used));
        let text = |used: u32| Some(format!("{used} of {} used", status.limit()));
        let field = format!("quota {}", named.name());
        let used = Difference::new(field, text(used), text(used - cost));
        let options = request.options(caller.key_id(), Precondition::None);
        let noted = self.0.manager.apply(Command::NoteRefund { id: key, used }, options).await?;
        if cost > 0 && !noted.replayed {
            let now = self.now();
            let mode = ChargeMode::IfAllowed;
            let applied = AppliedQuotas { general: one, route: &[] };
            let charge =
                Charge { caller: Counted::Key(&entry.record), quotas: applied, cost, mode, now };
            let taken_at = verdict.taken_at().unwrap_or(now);
            verdict = Verdict::passed();
            verdict.push(status);
            verdict.set_taken_at(taken_at);
            let refund = Refund { charge, verdict: &verdict, cost, now };
            let refunded = limiter.refund(refund).await;
            refunded.map_err(|error| self.unanswered(error, LimiterFallback::NotRefunded))?;
        }
        let verdict = self.peek(&*limiter, &entry.record, &quotas).await?;
        Ok(entries(quotas, &verdict))
    }

    /// Returns the limiter, and the quotas of a key.
    pub(super) fn counted(
        &self,
        record: &KeyRecord,
    ) -> Result<(Arc<dyn Limiter>, Vec<Quota>), ManagementError> {
        let limiter = self.0.limiter.clone().ok_or(ManagementError::NotOffered("counters"))?;
        let quotas = match (record.quotas(), record.plan()) {
            (Some(own), _) => Some(own.clone()),
            (None, Some(plan)) => {
                let quotas = self.0.plans.as_ref().and_then(|plans| plans.quotas(plan.as_str()));
                Some(quotas.ok_or(ManagementError::NotFound("plan"))?)
            }
            (None, None) => self.0.quotas.clone(),
        };
        Ok((limiter, quotas.map(|quotas| quotas.as_slice().to_vec()).unwrap_or_default()))
    }

    pub(super) async fn peek(
        &self,
        limiter: &dyn Limiter,
        record: &KeyRecord,
        quotas: &[Quota],
    ) -> Result<Verdict, ManagementError> {
        if quotas.is_empty() {
            return Ok(Verdict::passed());
        }
        let quotas = AppliedQuotas { general: quotas, route: &[] };
        let (mode, now) = (ChargeMode::Peek, self.now());
        let charge = Charge { caller: Counted::Key(record), quotas, cost: 0, mode, now };
        let peeked = limiter.charge(charge).await;
        peeked.map_err(|error| self.unanswered(error, LimiterFallback::Denied))
    }

    /// Reports that the limiter could not answer.
    fn unanswered(&self, error: LimiterError, fallback: LimiterFallback) -> ManagementError {
        self.0.observers.limiter_failed(&error, fallback);
        ManagementError::Unavailable(StoreError::new(error))
    }
}

pub(super) fn entries(quotas: Vec<Quota>, verdict: &Verdict) -> Vec<CounterEntry> {
    let statuses = verdict.statuses().iter();
    quotas
        .into_iter()
        .zip(statuses)
        .map(|(quota, status)| CounterEntry { quota, status: *status })
        .collect()
}
