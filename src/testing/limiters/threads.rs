//! The promise on simultaneous requests.

use std::sync::Arc;

use super::client::{MINUTE, START, record};
use crate::caller::Caller;
use crate::key::KeyRecord;
use crate::limits::{Charge, ChargeMode, Limiter};
use crate::quota::{Algorithm, AppliedQuotas, Per, Quota};
use crate::testing::fresh::{Maker, subject};
use crate::testing::outcome::done;

const THREADS: usize = 4;
const LIMIT: u32 = 500;

/// Exactly the limit passes, even if several threads charge known and new accounts at the same time.
pub(super) async fn threads_take_exactly_the_limit(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let limiter = make.fresh(()).await;
        let quotas = [
            Quota::new("account", LIMIT, MINUTE).with_algorithm(algorithm),
            Quota::new("key", LIMIT, MINUTE).with_algorithm(algorithm).with_per(Per::Key),
        ];
        let records = Arc::new(["acme", "other", "third"].map(|account| record(account, "key")));
        // The runtime keeps running on this thread, for a limiter that needs it.
        let runtime = tokio::runtime::Handle::current();
        let workers = [(); THREADS].map(|()| {
            let (limiter, quotas) = (Arc::clone(&limiter), quotas.clone());
            let (records, runtime) = (Arc::clone(&records), runtime.clone());
            tokio::task::spawn_blocking(move || {
                let passes = |record: &KeyRecord| {
                    let quotas = AppliedQuotas { general: &quotas, route: &[] };
                    let mode = ChargeMode::IfAllowed;
                    let charge =
                        Charge { caller: Caller::Key(record), quotas, cost: 1, mode, now: START };
                    let charged = runtime.block_on(subject(&*limiter).charge(charge));
                    u32::from(done(charged, "charging a request").retry_after().is_none())
                };
                records.each_ref().map(|record| (0..LIMIT).map(|_| passes(record)).sum::<u32>())
            })
        });
        let mut totals = [0; 3];
        for worker in workers {
            let passed = done(worker.await, "a thread of requests");
            totals.iter_mut().zip(passed).for_each(|(total, passed)| *total += passed);
        }
        assert_eq!(totals, [LIMIT; 3], "{algorithm:?}: the requests that pass of each account");
    }
}
