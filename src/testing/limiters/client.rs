//! A client that charges a limiter as a gate does, at chosen instants.

use std::sync::Arc;
use std::time::Duration;

use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::key::{Account, KeyRecord};
use crate::limits::{Charge, ChargeMode, Limiter, Refund};
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};
use crate::testing::fresh::{Fresh, Maker, subject};
use crate::testing::outcome::done;

/// The first instant: 2001-09-09T01:47:00Z.
pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_000_000_020);

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The seconds from [`START`] to the end of the day in UTC.
pub(super) const TO_MIDNIGHT: u64 = 24 * 3_600 - 6_420;

/// The seconds from [`START`] to the end of the month in UTC.
pub(super) const TO_OCTOBER: u64 = 21 * 24 * 3_600 + TO_MIDNIGHT;

/// Returns the instant this many seconds after [`START`].
pub(super) fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// Makes the record of a key.
pub(super) fn record(account: &str, key: &str) -> KeyRecord {
    let account = Arc::new(done(Account::builder(account).build(), "building an account"));
    done(KeyRecord::builder(key, account).build(), "building a record")
}

/// Returns the status of the only quota, or of the first.
pub(super) fn first(verdict: &Verdict) -> QuotaStatus {
    done(
        verdict.statuses().first().copied().ok_or("the verdict has no status"),
        "reading the status of a quota",
    )
}

/// A key, and a new limiter that counts its requests.
pub(super) struct KeyClient {
    limiter: Arc<dyn Fresh<dyn Limiter>>,
    pub(super) account: String,
    pub(super) key: &'static str,
}

impl KeyClient {
    pub(super) async fn new(make: &Maker<dyn Limiter>) -> Self {
        Self { limiter: make.fresh(()).await, account: "acme".to_owned(), key: "key_1" }
    }

    pub(super) async fn ask(
        &self,
        general: &[Quota],
        route: &[Quota],
        cost: u32,
        mode: ChargeMode,
        now: Timestamp,
    ) -> Verdict {
        let charge = subject(&*self.limiter).charge(Charge {
            caller: Caller::Key(&record(&self.account, self.key)),
            quotas: AppliedQuotas { general, route },
            cost,
            mode,
            now,
        });
        done(charge.await, "charging a request")
    }

    /// Returns true if the limiter gives costs back.
    pub(super) fn refunds(&self) -> bool {
        subject(&*self.limiter).refunds()
    }

    /// Gives back a cost that a charge took at an instant.
    pub(super) async fn refund(
        &self,
        (general, route): (&[Quota], &[Quota]),
        (charged, at): (u32, Timestamp),
        verdict: &Verdict,
        cost: u32,
        now: Timestamp,
    ) -> Verdict {
        let caller = Caller::Key(&record(&self.account, self.key));
        let quotas = AppliedQuotas { general, route };
        let mode = ChargeMode::IfAllowed;
        let charge = Charge { caller, quotas, cost: charged, mode, now: at };
        let refund = subject(&*self.limiter).refund(Refund { charge, verdict, cost, now });
        done(refund.await, "giving a cost back")
    }

    pub(super) async fn take(&self, quotas: &[Quota], now: Timestamp) -> Verdict {
        self.ask(quotas, &[], 1, ChargeMode::IfAllowed, now).await
    }

    pub(super) async fn passes(&self, quotas: &[Quota], now: Timestamp) -> bool {
        self.take(quotas, now).await.retry_after().is_none()
    }

    pub(super) async fn remaining(&self, quotas: &[Quota], now: Timestamp) -> Vec<u32> {
        remaining(&self.ask(quotas, &[], 0, ChargeMode::Peek, now).await)
    }
}

/// Lists what remains of each quota.
pub(super) fn remaining(verdict: &Verdict) -> Vec<u32> {
    verdict.statuses().iter().map(QuotaStatus::remaining).collect()
}
