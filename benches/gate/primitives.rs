//! The primitives of a decision, each by itself and hot, in parts of SHA-256 of one block: the best of 30 rounds of a
//! loop. SHA-256 is the least that a gate over digests can cost.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{KeyDigest, KeyHasher, SharedRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
use tower_api_key::quota::AppliedQuotas;
use tower_api_key::store::KeyStore;

use crate::harness::{Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{FORMAT, Keys, PROFILE, answer_now};

const ROUNDS: usize = 30;
const OPERATIONS: usize = 100_000;
/// The time between two charges: long enough for the windows of 64 accounts never to be full.
const STEP: Duration = Duration::from_millis(10);

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let texts = keys.hot();
    let format = FORMAT;
    let hasher = KeyHasher::sha256();
    let digests: Vec<KeyDigest> = texts.iter().map(|it| hasher.digest(it.as_bytes())).collect();
    let find = |digest| answer_now(keys.store.find(digest)).ok().flatten().expect("known");
    let records: Vec<SharedRecord> = digests.iter().map(find).collect();
    let limiter = MemoryLimiter::new();
    let mut now = SystemClock.now();
    let cases = vec![
        case("SHA-256 of one block", &texts, |text| hasher.digest(text.as_bytes())),
        case("`format.matches`", &texts, |text| black_box(&format).matches(text.as_bytes())),
        case("charge of two windows", &records, move |record| {
            now = now.plus(STEP);
            let passed = answer_now(limiter.charge(charge(record, now))).expect("room");
            assert_eq!(passed.retry_after(), None);
            passed
        }),
        case("lookup, with its drop", &digests, |digest| answer_now(keys.store.find(digest))),
        case("clone of a record, with its drop", &records, SharedRecord::clone),
        case("clock", &records, |_| SystemClock.now()),
    ];
    let series = interleave(cases, ROUNDS, OPERATIONS);
    let [digest, others @ ..] = &series[..] else { panic!("one series a case") };
    report.note(format!("primitives: {}, best", digest.name), digest.best(), "ns");
    let targets = [Some(0.25), Some(0.5), Some(0.3), None, None];
    for (one, target) in others.iter().zip(targets) {
        let measure = format!("primitives: {}, in parts of SHA-256", one.name);
        let figure = one.best() / digest.best();
        match target {
            Some(most) => report.hold(measure, figure, "parts", Target::AtMost(most)),
            None => report.note(measure, figure, "parts"),
        }
    }
}

fn charge(record: &SharedRecord, now: Timestamp) -> Charge<'_> {
    let quotas = AppliedQuotas { general: PROFILE.quotas, route: &[] };
    let (caller, mode) = (Caller::Key(record), ChargeMode::IfAllowed);
    Charge { caller, quotas, cost: 1, mode, now }
}

/// Times a primitive over these inputs, again and again.
fn case<'a, I, O>(
    name: &str,
    inputs: &'a [I],
    mut primitive: impl FnMut(&I) -> O + 'a,
) -> Case<'a> {
    Case::new(name, move |operations| {
        let began = Instant::now();
        for input in inputs.iter().cycle().take(operations) {
            // A reference: an answer that is handed over is copied, which no gate does.
            let answer = primitive(black_box(input));
            black_box(&answer);
        }
        began.elapsed()
    })
}
