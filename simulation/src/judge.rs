//! What the limits should have done, and what they did.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tower_api_key::caller::Caller;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota, Verdict};

/// The longest time between a charge and its answer, in milliseconds: the timeout of calls.
const ANSWER: u64 = 50;

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It was refused, because a quota was full.
    Refused,
    /// The limiter failed, and the gate answers 503.
    Failed,
}

impl Outcome {
    /// Returns the end of a request by the answer of its limiter.
    pub fn of<E>(answer: &Result<Verdict, E>) -> Self {
        match answer {
            Err(_) => Self::Failed,
            Ok(verdict) if verdict.retry_after().is_none() => Self::Passed,
            Ok(_) => Self::Refused,
        }
    }
}

/// What became of the requests of one account.
struct AccountRequests {
    record: Arc<KeyRecord>,
    /// When requests passed, in milliseconds.
    passes: Vec<u64>,
    /// Those that passed while the judge counts.
    passed: u64,
    /// Those that one limiter in memory, which sees all requests at once, would have passed.
    due: u64,
}

/// Counts the requests of all accounts.
pub struct Judge {
    quota: [Quota; 1],
    /// From when on under-use counts, in milliseconds.
    from: u64,
    reference: MemoryLimiter,
    accounts: BTreeMap<u64, AccountRequests>,
    /// The ends of all requests since then.
    pub ends: [u64; 3],
}

impl Judge {
    /// Creates a judge.
    pub fn new(quota: Quota, from: u64) -> Self {
        let reference = MemoryLimiter::with_capacity(1 << 20);
        Self { quota: [quota], from, reference, accounts: BTreeMap::new(), ends: [0; 3] }
    }

    /// Called when a request of an account begins. Returns its record.
    ///
    /// # Panics
    ///
    /// If the limiter in memory has no answer.
    pub fn begins(&mut self, account: u64, now: u64, wall: Timestamp) -> Arc<KeyRecord> {
        let requests = self.accounts.entry(account).or_insert_with(|| AccountRequests {
            record: record(account),
            passes: Vec::new(),
            passed: 0,
            due: 0,
        });
        let quotas = AppliedQuotas { general: &self.quota, route: &[] };
        let caller = Caller::Key(&requests.record);
        let mode = ChargeMode::IfAllowed;
        let charge = Charge { caller, quotas, cost: 1, mode, now: wall };
        let reply = pin!(self.reference.charge(charge));
        let Poll::Ready(answer) = reply.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the limiter in memory answers at once");
        };
        requests.due += u64::from(now >= self.from && Outcome::of(&answer) == Outcome::Passed);
        Arc::clone(&requests.record)
    }

    /// Called when a request ends.
    pub fn ends(&mut self, account: u64, now: u64, outcome: Outcome) {
        if now >= self.from {
            self.ends[outcome as usize] += 1;
        }
        if outcome == Outcome::Passed
            && let Some(requests) = self.accounts.get_mut(&account)
        {
            requests.passes.push(now);
            requests.passed += u64::from(now >= self.from);
        }
    }

    /// Returns how many requests passed above the limit. `ends` are the ends of the fixed windows of accounts.
    pub fn above(&self, ends: &BTreeMap<u64, Vec<u64>>) -> u64 {
        let limit = self.quota[0].limit() as usize;
        let length = self.quota[0].window().as_millis() as u64;
        let above = |(account, requests): (&u64, &AccountRequests)| {
            let passes = &requests.passes;
            if self.quota[0].algorithm() == Algorithm::FixedWindow {
                let ends = ends.get(account).map_or(&[][..], Vec::as_slice);
                return above_in_windows(passes, limit, length, ends);
            }
            // Charges lie up to the time of an answer before the passes.
            let span = length - ANSWER;
            let is_above = |index: &usize| passes[*index] - passes[*index - limit] < span;
            (limit..passes.len()).filter(is_above).count() as u64
        };
        self.accounts.iter().map(above).sum()
    }

    /// Returns the part of the due requests that did not pass.
    pub fn under_use(&self) -> f64 {
        let due: u64 = self.accounts.values().map(|requests| requests.due).sum();
        let used: u64 = self.accounts.values().map(|it| it.passed.min(it.due)).sum();
        if due == 0 { 0.0 } else { (due - used) as f64 / due as f64 }
    }
}

/// Counts the passes above a limit in fixed windows. A charge near the end of a window may be answered after it, so
/// the first passes of a window may belong to the one before.
fn above_in_windows(passes: &[u64], limit: usize, length: u64, ends: &[u64]) -> u64 {
    let mut above = 0;
    for (index, end) in ends.iter().enumerate() {
        let before = index.checked_sub(1).map_or(0, |index| ends[index]);
        let begin = before.max(end.saturating_sub(length)) + ANSWER;
        let from = passes.partition_point(|at| *at < begin);
        let to = passes.partition_point(|at| at < end);
        above += to.saturating_sub(from).saturating_sub(limit) as u64;
    }
    above
}

/// Returns the record of a key of an account.
fn record(account: u64) -> Arc<KeyRecord> {
    let account = Account::builder(format!("account_{account}")).build();
    let record = KeyRecord::builder("key_1", account.expect("the id is valid")).build();
    Arc::new(record.expect("the id is valid"))
}
