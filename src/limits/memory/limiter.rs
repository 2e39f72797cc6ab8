//! The limiter in memory.

use super::super::limiter::{Charge, ChargeMode, Limiter, Refund};
use super::meter::Meter;
use super::meters::Meters;
use super::place::Place;
use super::shard::Full;
use super::shards::{Locked, Shards};
use super::subject::{Claim, Subject};
use crate::error::LimiterError;
use crate::quota::{Per, Verdict};
use crate::sync::Reply;

/// The attempts of a request to lock its meters. An attempt fails if a meter was given to another subject
/// before the request locked it.
const ATTEMPTS: usize = 16;

/// A limiter that counts requests in this process.
///
/// The limiter charges all quotas of a request in one step. It forgets an account when all its windows are
/// over and another account needs the memory. Its memory is bounded by the capacity.
///
/// ```
/// use tower_api_key::limits::MemoryLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, Profile};
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .limits(MemoryLimiter::with_capacity(10_000), OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
// All counters of an account lie side by side behind one lock, and those of a key behind another. A key's
// record remembers where its account's counters lie.
#[derive(Debug)]
pub struct MemoryLimiter {
    shards: Shards,
}

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLimiter {
    /// Creates a limiter for up to a million active subjects: accounts, and keys with quotas of their own.
    pub fn new() -> Self {
        Self::with_capacity(1_000_000)
    }

    /// Creates a limiter for this many active subjects, at most 67 million. A subject is an account, or a key
    /// with quotas of its own. It takes 128 bytes with up to two quotas, once it is counted.
    ///
    /// The limiter has 16 shards. Names do not spread evenly over them, so each shard has room for some
    /// more than a sixteenth.
    ///
    /// A new subject takes the memory of an idle one. It looks at up to 1024 subjects for an idle one if its
    /// shard is full. If none of them is idle, the limiter fails, and the gate's
    /// [`OnLimiterFailure`](crate::quota::OnLimiterFailure) decides. The limiter never drops an active counter,
    /// because this would give its account a fresh quota.
    pub fn with_capacity(subjects: usize) -> Self {
        Self { shards: Shards::with_capacity(subjects) }
    }

    /// Returns the number of accounts and keys that the limiter counts.
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Returns true if the limiter counts no account and no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn charge_now(
        &self,
        charge: &Charge<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Full> {
        let (by_account, by_key) =
            (charge.quotas.count_by(Per::Account), charge.quotas.count_by(Per::Key));
        // The common case: the account has a meter already, and no quota counts by key.
        if by_account
            && !by_key
            && let Some(place) = Place::noted(charge.record.bookmark())
            && let Some(mut meter) = self.shards.meter_at(place)
            && meter.answers(Claim::Tag(charge.record.account_tag()))
        {
            Meters { account: Some(&mut meter), key: None }.charge(charge, verdict);
            return Ok(());
        }
        self.with_meters(charge, (by_account, by_key), |mut meters| meters.charge(charge, verdict))
    }

    fn refund_now(&self, refund: &Refund<'_>, verdict: &mut Verdict) -> Result<(), Full> {
        // As a peek, for which no meter is made: a subject without one has nothing to give back.
        let peek = Charge { cost: 0, mode: ChargeMode::Peek, now: refund.now, ..refund.charge };
        let by = (peek.quotas.count_by(Per::Account), peek.quotas.count_by(Per::Key));
        self.with_meters(&peek, by, |mut meters| meters.refund(refund, verdict))
    }

    /// Locks the meters of a request, and calls a function with them.
    fn with_meters(
        &self,
        charge: &Charge<'_>,
        (by_account, by_key): (bool, bool),
        work: impl FnOnce(Meters<'_>),
    ) -> Result<(), Full> {
        let (record, bookmark) = (charge.record, charge.record.bookmark());
        for _ in 0..ATTEMPTS {
            // Places first, then locks: a request that holds a meter must not wait for a directory.
            let account = match Place::noted(bookmark) {
                _ if !by_account => None,
                Some(place) => Some(place),
                None => {
                    let of_account = Subject::of_account(record);
                    self.shards.place(of_account, charge)?.inspect(|place| place.note(bookmark))
                }
            };
            let key =
                if by_key { self.shards.place(Subject::of_key(record), charge)? } else { None };
            let Ok((mut account, mut key)) = self.shards.meters(account, key, record) else {
                Place::forget(bookmark);
                continue;
            };
            // A peek at a subject without a meter finds its quotas unused.
            let (mut no_account, mut no_key) = (None, None);
            work(Meters {
                account: by_account.then(|| meter_or(&mut account, &mut no_account)),
                key: by_key.then(|| meter_or(&mut key, &mut no_key)),
            });
            return Ok(());
        }
        Err(Full)
    }
}

impl Limiter for MemoryLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        let charged = self.charge_now(&charge, &mut verdict);
        Reply::now(charged.map(|()| verdict).map_err(LimiterError::new))
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        let refunded = self.refund_now(&refund, &mut verdict);
        Reply::now(refunded.map(|()| verdict).map_err(LimiterError::new))
    }
}

fn meter_or<'a>(locked: &'a mut Locked<'_>, fresh: &'a mut Option<Meter>) -> &'a mut Meter {
    match locked {
        Some(meter) => meter,
        None => fresh.get_or_insert_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;
    use crate::key::KeyRecord;
    use crate::quota::{AppliedQuotas, Quota};

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn record(account: &str) -> KeyRecord {
        KeyRecord::bare("key", account)
    }

    fn charge(limiter: &MemoryLimiter, account: usize, quotas: &[Quota], now: Timestamp) -> bool {
        let mut verdict = Verdict::passed();
        let charge = Charge {
            record: &record(&account.to_string()),
            quotas: AppliedQuotas { general: quotas, route: &[] },
            cost: 1,
            mode: ChargeMode::IfAllowed,
            now,
        };
        limiter.charge_now(&charge, &mut verdict).is_ok() && verdict.retry_after().is_none()
    }

    #[test]
    fn idle_accounts_are_forgotten() {
        let limiter = MemoryLimiter::new();
        let quotas = [Quota::new("minute", 5, MINUTE)];
        for round in 0..10u64 {
            let now = START.plus(Duration::from_secs(60 * round));
            for account in 0..20_000 {
                assert!(charge(&limiter, 20_000 * round as usize + account, &quotas, now));
            }
            assert!(limiter.len() < 50_000, "{} after round {round}", limiter.len());
        }
    }

    #[test]
    fn as_many_as_a_limiter_was_made_for_are_counted_however_they_fall() {
        let quotas = [Quota::new("minute", 1, MINUTE)];
        for _ in 0..4 {
            let limiter = MemoryLimiter::with_capacity(10_000);
            assert!((0..10_000).all(|account| charge(&limiter, account, &quotas, START)));
        }
    }

    #[test]
    fn a_full_limiter_fails_rather_than_forgets() {
        let limiter = MemoryLimiter::with_capacity(1_000);
        let quotas = [Quota::new("minute", 1, MINUTE)];
        let passed = (0..5_000).filter(|n| charge(&limiter, *n, &quotas, START)).count();
        assert!((1_000..=limiter.len()).contains(&passed) && limiter.len() <= 2_560, "{passed}");
        assert!((0..5_000).all(|n| !charge(&limiter, n, &quotas, START)));
        assert!(charge(&limiter, 9_999, &quotas, START.plus(MINUTE)), "all idle by now");
    }

    #[test]
    fn a_meter_with_a_later_request_is_not_idle_for_an_earlier_one() {
        let limiter = MemoryLimiter::new();
        let quotas = [Quota::new("second", 5, Duration::from_secs(1))];
        assert!(charge(&limiter, 1, &quotas, START));
        let meter = || limiter.shards.first_meter().unwrap();
        let earlier = START.plus(Duration::from_millis(1_500));
        assert!(meter().is_idle(earlier));
        // A peek, which changes only the latest instant.
        let later = START.plus(Duration::from_secs(2));
        let peek = Charge {
            record: &record("1"),
            quotas: AppliedQuotas { general: &quotas, route: &[] },
            cost: 1,
            mode: ChargeMode::Peek,
            now: later,
        };
        assert!(limiter.charge_now(&peek, &mut Verdict::passed()).is_ok());
        assert!(!meter().is_idle(earlier) && meter().is_idle(later));
    }

    #[test]
    fn a_quota_that_is_listed_twice_panics_nowhere() {
        let limiter = MemoryLimiter::new();
        let quota = Quota::new("minute", 2, MINUTE);
        let twice = [quota.clone(), quota.clone()];
        assert!(charge(&limiter, 1, &twice, START) && charge(&limiter, 1, &twice, START));
        assert!(!charge(&limiter, 1, &twice, START) && !charge(&limiter, 1, &[quota], START));
    }

    #[test]
    fn only_subjects_with_quotas_of_their_own_are_counted() {
        let account = Quota::new("minute", 5, MINUTE);
        let key = Quota::new("hour", 5, MINUTE).with_per(Per::Key);
        for (quotas, counted) in [
            (&[][..], 0),
            (std::slice::from_ref(&account), 1),
            (std::slice::from_ref(&key), 1),
            (&[account.clone(), key.clone()], 2),
        ] {
            let limiter = MemoryLimiter::new();
            assert!(limiter.is_empty());
            assert!(charge(&limiter, 1, quotas, START));
            assert_eq!((limiter.len(), limiter.is_empty()), (counted, counted == 0));
        }
    }

    #[test]
    fn any_capacity_is_one_that_serves() {
        let quotas = [Quota::new("minute", 1, MINUTE)];
        for capacity in [0, 1, usize::MAX] {
            let limiter = MemoryLimiter::with_capacity(capacity);
            assert!(charge(&limiter, 1, &quotas, START) && !charge(&limiter, 1, &quotas, START));
        }
    }

    #[test]
    fn a_peek_keeps_nothing() {
        let limiter = MemoryLimiter::new();
        let mut verdict = Verdict::passed();
        let peek = Charge {
            record: &record("acme"),
            quotas: AppliedQuotas { general: &[Quota::new("minute", 5, MINUTE)], route: &[] },
            cost: 1,
            mode: ChargeMode::Peek,
            now: START,
        };
        assert!(limiter.charge_now(&peek, &mut verdict).is_ok());
        assert_eq!(verdict.statuses()[0].remaining(), 5);
        assert!(limiter.is_empty());
    }
}
