//! The meters of accounts and their keys, and how a request is charged to them.

use super::super::limiter::{Charge, Refund};
use super::meter::Meter;
use super::meters::Meters;
use super::place::{NotedPlace, Place};
use super::shard::Full;
use super::shards::{Locked, Shards};
use super::subject::{Claim, Subject};
use crate::key::{CounterPlace, KeyRecord};
use crate::quota::{Per, Verdict};

/// The attempts of a request to lock its meters. An attempt fails if a meter was given to another subject
/// before the request locked it.
const ATTEMPTS: usize = 16;

/// The meters of accounts and their keys.
///
/// All counters of an account lie side by side behind one lock, and those of a key behind another. A key's
/// record remembers where its account's counters lie, and so does the account for a key that has made no request yet.
#[derive(Debug)]
pub(super) struct AccountMeters {
    shards: Shards,
}

impl AccountMeters {
    pub(super) fn with_capacity(subjects: usize) -> Self {
        Self { shards: Shards::with_capacity(subjects) }
    }

    /// Returns the number of accounts and keys with a meter.
    pub(super) fn len(&self) -> usize {
        self.shards.len()
    }

    /// Begins to load an account's meter from memory.
    #[inline]
    pub(super) fn preload(&self, place: CounterPlace) {
        self.shards.preload(Place::of(place));
    }

    /// Charges a request of a key.
    pub(super) fn charge(
        &self,
        record: &KeyRecord,
        charge: &Charge<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Full> {
        let (by_account, by_key) =
            (charge.quotas.count_by(Per::Account), charge.quotas.count_by(Per::Key));
        // The common case: the account has a meter already, and no quota counts by key.
        if by_account
            && !by_key
            && let Some(place) = Place::noted(record.bookmark())
            && let Some(mut meter) = self.shards.meter_at(place)
            && meter.answers(Claim::Tag(record.account_tag()))
        {
            Meters { account: Some(&mut meter), key: None }.charge(charge, verdict);
            return Ok(());
        }
        let by = (by_account, by_key);
        self.with_meters(record, charge, by, |mut meters| meters.charge(charge, verdict))
    }

    /// Gives a cost back to a key.
    pub(super) fn refund(
        &self,
        record: &KeyRecord,
        refund: &Refund<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Full> {
        // As a peek, for which no meter is made: a subject without one has nothing to give back.
        let peek = refund.peek();
        let by = (peek.quotas.count_by(Per::Account), peek.quotas.count_by(Per::Key));
        self.with_meters(record, &peek, by, |mut meters| meters.refund(refund, verdict))
    }

    /// Locks the meters of a request, and calls a function with them.
    fn with_meters(
        &self,
        record: &KeyRecord,
        charge: &Charge<'_>,
        (by_account, by_key): (bool, bool),
        work: impl FnOnce(Meters<'_>),
    ) -> Result<(), Full> {
        let (tag, noted) = (record.account_tag(), NotedPlace::of(record));
        for _ in 0..ATTEMPTS {
            // Places first, then locks: a request that holds a meter must not wait for a directory.
            let account = match noted.find() {
                _ if !by_account => None,
                Some(place) => Some(place),
                None => {
                    let of_account = Subject::of_account(record);
                    let place = self.shards.place(of_account, tag, charge)?;
                    place.inspect(|place| noted.note(*place))
                }
            };
            let of_key = Subject::of_key(record);
            let key = if by_key { self.shards.place(of_key, tag, charge)? } else { None };
            let Ok((mut account, mut key)) = self.shards.meters(account, key, record) else {
                noted.forget();
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

fn meter_or<'a>(locked: &'a mut Locked<'_>, fresh: &'a mut Option<Meter>) -> &'a mut Meter {
    match locked {
        Some(meter) => meter,
        None => fresh.get_or_insert_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::super::super::limiter::ChargeMode;
    use super::*;
    use crate::caller::Caller;
    use crate::clock::Timestamp;
    use crate::key::Account;
    use crate::quota::{AppliedQuotas, Quota};

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn record(account: &str) -> KeyRecord {
        KeyRecord::bare("key", account)
    }

    fn charge(limiter: &AccountMeters, account: usize, quotas: &[Quota], now: Timestamp) -> bool {
        charge_record(limiter, &record(&account.to_string()), quotas, now)
    }

    fn charge_record(
        limiter: &AccountMeters,
        record: &KeyRecord,
        quotas: &[Quota],
        now: Timestamp,
    ) -> bool {
        let mut verdict = Verdict::passed();
        let charge = Charge {
            caller: Caller::Key(record),
            quotas: AppliedQuotas { general: quotas, route: &[] },
            cost: 1,
            mode: ChargeMode::IfAllowed,
            now,
        };
        limiter.charge(record, &charge, &mut verdict).is_ok() && verdict.retry_after().is_none()
    }

    #[test]
    fn idle_accounts_are_forgotten() {
        let limiter = AccountMeters::with_capacity(1_000_000);
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
            let limiter = AccountMeters::with_capacity(10_000);
            assert!((0..10_000).all(|account| charge(&limiter, account, &quotas, START)));
        }
    }

    #[test]
    fn a_full_limiter_fails_rather_than_forgets() {
        let limiter = AccountMeters::with_capacity(1_000);
        let quotas = [Quota::new("minute", 1, MINUTE)];
        let passed = (0..5_000).filter(|n| charge(&limiter, *n, &quotas, START)).count();
        assert!((1_000..=limiter.len()).contains(&passed) && limiter.len() <= 2_560, "{passed}");
        assert!((0..5_000).all(|n| !charge(&limiter, n, &quotas, START)));
        assert!(charge(&limiter, 9_999, &quotas, START.plus(MINUTE)), "all idle by now");
    }

    #[test]
    fn a_meter_with_a_later_request_is_not_idle_for_an_earlier_one() {
        let limiter = AccountMeters::with_capacity(1_000_000);
        let quotas = [Quota::new("second", 5, Duration::from_secs(1))];
        assert!(charge(&limiter, 1, &quotas, START));
        let meter = || limiter.shards.first_meter().unwrap();
        let earlier = START.plus(Duration::from_millis(1_500));
        assert!(meter().is_idle(earlier));
        // A peek, which changes only the latest instant.
        let later = START.plus(Duration::from_secs(2));
        let record = record("1");
        let peek = Charge {
            caller: Caller::Key(&record),
            quotas: AppliedQuotas { general: &quotas, route: &[] },
            cost: 1,
            mode: ChargeMode::Peek,
            now: later,
        };
        assert!(limiter.charge(&record, &peek, &mut Verdict::passed()).is_ok());
        assert!(!meter().is_idle(earlier) && meter().is_idle(later));
    }

    #[test]
    fn a_quota_that_is_listed_twice_panics_nowhere() {
        let limiter = AccountMeters::with_capacity(1_000_000);
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
            let limiter = AccountMeters::with_capacity(1_000_000);
            assert_eq!(limiter.len(), 0);
            assert!(charge(&limiter, 1, quotas, START));
            assert_eq!(limiter.len(), counted);
        }
    }

    /// Of a million keys with ten to an account, nine of ten first requests find their counters by what another key noted.
    #[test]
    fn a_new_key_finds_the_counters_that_its_account_has_already() {
        let limiter = AccountMeters::with_capacity(1_000_000);
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let key = |id| KeyRecord::builder(id, Arc::clone(&account)).build().unwrap();
        let [first, second, third] = ["key_1", "key_2", "key_3"].map(key);
        let quotas = [Quota::new("minute", 2, MINUTE)];
        assert!(charge_record(&limiter, &first, &quotas, START));
        let asks_no_directory = thread::scope(|scope| {
            let directories = limiter.shards.lock_directories();
            let charged = scope.spawn(|| charge_record(&limiter, &second, &quotas, START));
            let deadline = Instant::now() + Duration::from_secs(10);
            while !charged.is_finished() && Instant::now() < deadline {
                thread::yield_now();
            }
            let in_time = charged.is_finished();
            drop(directories);
            charged.join().unwrap() && in_time
        });
        assert!(asks_no_directory);
        assert!(!charge_record(&limiter, &third, &quotas, START), "all keys count in one counter");
    }

    #[test]
    fn any_capacity_is_one_that_serves() {
        let quotas = [Quota::new("minute", 1, MINUTE)];
        for capacity in [0, 1, usize::MAX] {
            let limiter = AccountMeters::with_capacity(capacity);
            assert!(charge(&limiter, 1, &quotas, START) && !charge(&limiter, 1, &quotas, START));
        }
    }

    #[test]
    fn a_peek_keeps_nothing() {
        let limiter = AccountMeters::with_capacity(1_000_000);
        let mut verdict = Verdict::passed();
        let record = record("acme");
        let peek = Charge {
            caller: Caller::Key(&record),
            quotas: AppliedQuotas { general: &[Quota::new("minute", 5, MINUTE)], route: &[] },
            cost: 1,
            mode: ChargeMode::Peek,
            now: START,
        };
        assert!(limiter.charge(&record, &peek, &mut verdict).is_ok());
        assert_eq!(verdict.statuses()[0].remaining(), 5);
        assert_eq!(limiter.len(), 0);
    }
}
