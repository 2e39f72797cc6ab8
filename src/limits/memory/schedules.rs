//! Tests of concurrent requests in the limiter, under many random schedules.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shuttle::thread;

use super::super::limiter::{Charge, ChargeMode};
use super::accounts::AccountMeters;
use super::networks::NetworkMeters;
use crate::caller::{Caller, ClientNetwork};
use crate::clock::Timestamp;
use crate::key::{Account, KeyRecord};
use crate::quota::{AppliedQuotas, Per, Quota, Verdict};
use crate::sync::{AtomicUsize, explore};

const MINUTE: Duration = Duration::from_secs(60);
const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
/// An instant at which the counters of the start are idle.
const LATER: Timestamp = Timestamp::from_unix_seconds(1_000_120);

fn keys(account: &str, count: usize) -> Vec<Arc<KeyRecord>> {
    let account = Arc::new(Account::builder(account).build().unwrap());
    let key = |index| KeyRecord::builder(format!("key_{index}"), Arc::clone(&account)).build();
    (0..count).map(|index| Arc::new(key(index).unwrap())).collect()
}

/// Charges a request, and returns true if it passed. Panics if the limiter fails.
fn passes(limiter: &AccountMeters, record: &KeyRecord, quotas: &[Quota], now: Timestamp) -> bool {
    let quotas = AppliedQuotas { general: quotas, route: &[] };
    let charge =
        Charge { caller: Caller::Key(record), quotas, cost: 1, mode: ChargeMode::IfAllowed, now };
    let mut verdict = Verdict::passed();
    limiter.charge(record, &charge, &mut verdict).unwrap();
    verdict.retry_after().is_none()
}

/// Runs one thread for each key, with two requests each, and returns the number of requests that passed.
fn together(
    limiter: &Arc<AccountMeters>,
    keys: &[Arc<KeyRecord>],
    quotas: &Arc<[Quota]>,
    now: Timestamp,
) -> usize {
    let passed = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = keys
        .iter()
        .cloned()
        .map(|key| {
            let (limiter, quotas) = (Arc::clone(limiter), Arc::clone(quotas));
            let passed = Arc::clone(&passed);
            thread::spawn(move || {
                for _ in 0..2 {
                    if passes(&limiter, &key, &quotas, now) {
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    passed.load(Ordering::SeqCst)
}

#[test]
fn a_new_account_gets_its_quota_exactly() {
    explore("a new account's requests", || {
        let limiter = Arc::new(AccountMeters::with_capacity(4));
        let [key] = keys("acme", 1).try_into().unwrap();
        let quotas = Arc::from([Quota::new("minute", 3, MINUTE)]);
        let keys = [Arc::clone(&key), Arc::clone(&key), key];
        assert_eq!(together(&limiter, &keys, &quotas, START), 3);
        assert_eq!(limiter.len(), 1, "its requests are counted together");
    });
}

#[test]
fn keys_and_their_account_are_charged_all_or_nothing() {
    explore("two quotas of two keys", || {
        let limiter = Arc::new(AccountMeters::with_capacity(4));
        let keys = keys("acme", 2);
        let quotas: Arc<[Quota]> = Arc::from([
            Quota::new("all", 3, MINUTE),
            Quota::new("each", 2, MINUTE).with_per(Per::Key),
        ]);
        assert_eq!(together(&limiter, &keys, &quotas, START), 3);
        // The request that the account refused has taken nothing from its key.
        let each = [quotas[1].clone()];
        let left = keys.iter().filter(|key| passes(&limiter, key, &each, START)).count();
        assert_eq!(left, 1);
    });
}

#[test]
fn an_account_that_lost_its_meter_is_charged_for_its_own_requests_only() {
    explore("an idle account that comes back", || {
        // Both accounts find the one idle meter. The second account makes another.
        let limiter = Arc::new(AccountMeters::with_capacity(4));
        let (acme, other) = (keys("acme", 1), keys("other", 1));
        let quotas: Arc<[Quota]> = Arc::from([Quota::new("minute", 1, MINUTE)]);
        assert!(passes(&limiter, &acme[0], &quotas, START));
        let threads = [&acme, &acme, &other, &other].map(|keys| {
            let (limiter, quotas, key) = (limiter.clone(), quotas.clone(), keys[0].clone());
            thread::spawn(move || passes(&limiter, &key, &quotas, LATER))
        });
        let passed = threads.map(|thread| thread.join().unwrap());
        assert_eq!(passed[..2].iter().filter(|passed| **passed).count(), 1, "acme");
        assert_eq!(passed[2..].iter().filter(|passed| **passed).count(), 1, "other");
    });
}

#[test]
fn networks_without_room_share_one_quota_exactly() {
    explore("networks of a full limiter", || {
        let meters = Arc::new(NetworkMeters::with_capacity(1));
        let threads = [1, 2, 3, 1, 2, 3].map(|host| {
            let (meters, network) = (meters.clone(), ClientNetwork::of([192, 0, 2, host].into()));
            thread::spawn(move || {
                let quotas =
                    AppliedQuotas { general: &[Quota::new("minute", 1, MINUTE)], route: &[] };
                let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
                let charge = Charge { caller, quotas, cost: 1, mode, now: START };
                let mut verdict = Verdict::passed();
                meters.charge(network, &charge, &mut verdict).unwrap();
                verdict.retry_after().is_none()
            })
        });
        let passed = threads.map(|thread| thread.join().unwrap());
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 2);
        assert_eq!(meters.len(), 1);
    });
}
