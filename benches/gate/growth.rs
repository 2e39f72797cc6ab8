//! How the cost grows with the number of keys, and with the number of routes.

use http::Method;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::rules::{Route, Routes};

use crate::harness::{COLD_OPERATIONS, COLD_ROUNDS, Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{
    BARE, Extras, KEYS_PER_ACCOUNT, Keys, PROFILE, bearer, gate, request, routes, timed,
};

/// Measures the whole accept path over stores of growing size, used uniformly.
pub(crate) fn by_keys(report: &mut Report, largest: usize) {
    let sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let sizes = sizes.into_iter().filter(|size| *size <= largest);
    let stores: Vec<(usize, Keys)> =
        sizes.map(|size| (size, Keys::issue(size, size as u64))).collect();
    let cases = stores.iter().map(|(size, keys)| {
        let speed = if *size < 100_000 { 2_000 } else { 1 };
        let mut gate = gate(&PROFILE, &keys.store, routes(), speed, Extras::Grant);
        let mut random = SmallRng::seed_from_u64(5);
        let mut every = keys.texts.iter();
        timed(&mut gate, 200, *size, || {
            request("/v1/users", every.next().and_then(|text| bearer(text)))
        });
        Case::new(size.to_string(), move |n| {
            timed(&mut gate, 200, n, || {
                let at = random.random_range(0..*size);
                request("/v1/users", keys.texts.get(at).and_then(|text| bearer(text)))
            })
        })
    });
    let series = interleave(cases.collect(), COLD_ROUNDS, COLD_OPERATIONS);
    for one in &series {
        report.note(format!("growth: {} keys", one.name), one.nanoseconds(), "ns");
    }
    if let [smallest, .., largest] = &series[..] {
        report.hold(
            format!("growth: from {} to {} keys", smallest.name, largest.name),
            largest.times(smallest),
            "times",
            Target::AtMost(3.0),
        );
    }
}

/// Measures a table of a thousand patterns beside one of a single pattern.
pub(crate) fn by_routes(report: &mut Report, keys: &Keys) {
    let needs = Route::new().all_of(&["users.read"]);
    let table = |patterns: usize| {
        (0..patterns).fold(Routes::new(), |routes, number| {
            routes.on(&[Method::GET], format!("/v1/thing{number}/{{id}}"), needs)
        })
    };
    let cases = [1, 1000].map(|patterns| {
        let mut gate = gate(&BARE, &keys.store, table(patterns), 20_000, Extras::None);
        let mut at = 0;
        Case::new(patterns.to_string(), move |n| {
            timed(&mut gate, 200, n, || {
                at = (at + 1) % 64;
                let path = format!("/v1/thing{}/7", at * 15 % patterns);
                let text = keys.texts.get(at * KEYS_PER_ACCOUNT); // an account each
                request(&path, text.and_then(|text| bearer(text)))
            })
        })
    });
    let series = interleave(cases.into(), 120, 4096);
    let [one, thousand] = &series[..] else { panic!("one series a case") };
    report.hold(
        "routes: a table of 1000 patterns beyond one of 1",
        thousand.more_than(one),
        "ns",
        Target::AtMost(100.0),
    );
}
