//! Where the nanoseconds go: gates that do a little more each, hot keys.

use std::time::Duration;

use http::Request;
use tower::Layer;
use tower_api_key::clock::SystemClock;
use tower_api_key::key::{Alphabet, KeyFormat, KeyHasher};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::{ApiKeyLayer, Profile};

use crate::harness::{Case, Series, interleave};
use crate::report::Report;
use crate::subject::{
    BARE, Extras, Gate, HOT, Keys, PROFILE, bearer, gate, nothing, request, routes, timed,
};

const SPEED: u64 = 20_000;
const UNLIMITED: Profile = Profile { quotas: &[], ..BARE };
/// Any token is a key, as in the simplest of gates.
const PLAIN: Profile =
    Profile { formats: &[KeyFormat::new().between(Alphabet::Token, 16, 64)], ..UNLIMITED };

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let build = |profile: &Profile, routed: bool| -> Gate {
        let layer = ApiKeyLayer::builder(*profile, keys.store.clone()).without_grant();
        let layer = layer.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).clock(SystemClock);
        let layer = if routed { layer.routes(routes()) } else { layer };
        layer.build().expect("valid").layer(nothing())
    };
    let gates = vec![
        ("credential, digest, record, rules", build(&PLAIN, false)),
        ("and the format's checksum", build(&UNLIMITED, false)),
        ("and a route with a scope", build(&UNLIMITED, true)),
        ("and two windows", gate(&BARE, &keys.store, routes(), SPEED, Extras::None)),
        ("and the grant", gate(&BARE, &keys.store, routes(), SPEED, Extras::Grant)),
        ("and three limit headers", gate(&PROFILE, &keys.store, routes(), SPEED, Extras::Grant)),
    ];
    let mut none = nothing();
    let mut cases = vec![Case::new("no gate", {
        let mut next = requests(keys);
        move |operations| timed(&mut none, 200, operations, &mut next)
    })];
    for (name, mut gate) in gates {
        let mut next = requests(keys);
        cases.push(Case::new(name, move |operations| timed(&mut gate, 200, operations, &mut next)));
    }
    cases.push(Case::new("SHA-256 of a key alone", |operations| digests(keys, operations)));
    let series = interleave(cases, 150, 4096);
    let [none, .., digest] = &series[..] else { panic!("one series a case") };
    report.note("steps: no gate", none.nanoseconds(), "ns");
    for pair in series.windows(2) {
        let [before, step]: &[Series; 2] = pair.try_into().expect("two");
        if step.name != digest.name {
            report.note(format!("steps: {}", step.name), step.more_than(before), "ns");
        }
    }
    report.note(format!("steps: {}", digest.name), digest.nanoseconds(), "ns");
}

fn requests(keys: &Keys) -> impl FnMut() -> Request<()> + '_ {
    let mut texts = keys.texts.iter().step_by(101).take(HOT).cycle();
    move || request("/v1/users", texts.next().and_then(|text| bearer(text)))
}

/// Times the digest alone, which no gate can do without.
fn digests(keys: &Keys, operations: usize) -> Duration {
    let hasher = KeyHasher::sha256();
    let texts: Vec<&String> = keys.texts.iter().step_by(101).take(HOT).collect();
    let began = std::time::Instant::now();
    for text in texts.iter().cycle().take(operations) {
        std::hint::black_box(hasher.digest(text.as_bytes()));
    }
    began.elapsed()
}
