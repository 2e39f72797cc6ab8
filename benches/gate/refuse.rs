//! Refusals, body included: those in JSON and those of gRPC that need no store, and that of an unknown key.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tower_api_key::limits::MemoryLimiter;

use crate::harness::{Case, interleave};
use crate::peers;
use crate::report::{Report, Target};
use crate::subject::{
    BARE, Extras, Fast, GRPC_SERVICE, Gate, Keys, bearer, builder, call, call_of_grpc, free_served,
    gate, guarded, key, request, routes, timed,
};

/// Writes what follows `Bearer` from the texts of two keys.
type WriteToken = fn(&str, &str) -> String;

/// Requests that are refused, each with its status in JSON. A refused call of gRPC has status 200.
const REFUSED: [(&str, u16, Option<WriteToken>); 3] = [
    ("no credential", 401, None),
    ("malformed", 400, Some(|one, _| format!("{one},"))),
    // Two halves of two keys fit the alphabet and the length, and not each other.
    ("failed checksum", 401, Some(halves)),
];

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let mut random = SmallRng::seed_from_u64(3);
    let unknown: Vec<String> = (0..4096).map(|_| key(&mut random)).collect();
    let text = |at: usize| keys.texts.get(at * 7919 % keys.texts.len()).map_or("", String::as_str);
    let mut constant = peers::constant(text(0));
    let bare = gate(&BARE, &keys.store, routes(), 20_000, Extras::None);
    let (mut refusing, mut accepting) = (bare.clone(), bare.clone());
    let (mut next, mut known) = (0, 0);
    let mut measured: Vec<Case<'_>> = vec![Case::new("a constant Bearer refuses", |n| {
        timed(&mut constant, 401, n, || request("/v1/users", bearer(text(1))))
    })];
    let grpc = of_grpc(keys);
    for (name, status, make) in REFUSED {
        let (mut json, mut grpc) = (bare.clone(), grpc.clone());
        let token = move |at: usize| make.map(|make| make(text(at), text(at + 1)));
        let refused = call(&mut grpc, call_of_grpc(token(1).and_then(|token| bearer(&token))));
        assert_ne!(refused.headers().get("grpc-status").expect("of gRPC"), "0");
        free_served();
        let mut at = 0;
        measured.push(Case::new(format!("{name}, JSON"), move |n| {
            timed(&mut json, status, n, || {
                at += 1;
                request("/v1/users", token(at).and_then(|token| bearer(&token)))
            })
        }));
        let mut at = 0;
        measured.push(Case::new(format!("{name}, gRPC"), move |n| {
            timed(&mut grpc, 200, n, || {
                at += 1;
                call_of_grpc(token(at).and_then(|token| bearer(&token)))
            })
        }));
    }
    measured.push(Case::new("unknown key", |n| {
        timed(&mut refusing, 401, n, || {
            next = (next + 1) % unknown.len();
            request("/v1/users", unknown.get(next).and_then(|key| bearer(key)))
        })
    }));
    measured.push(Case::new("accept", |n| {
        timed(&mut accepting, 200, n, || {
            known += 1;
            request("/v1/users", bearer(text(known)))
        })
    }));
    let series = interleave(measured, 120, 4096);
    let [constant, storeless @ .., unknown, accept] = &series[..] else {
        panic!("one series a case")
    };
    report.note("refuse: a constant Bearer", constant.nanoseconds(), "ns");
    for one in storeless {
        report.hold(
            format!("refuse: {}, to a constant Bearer that refuses", one.name),
            one.times(constant),
            "times",
            Target::AtMost(3.0),
        );
    }
    report.hold(
        "refuse: unknown key to an accept, a million keys",
        unknown.times(accept),
        "times",
        Target::AtMost(1.0),
    );
}

/// Builds a gate that answers calls of gRPC in gRPC's own form.
fn of_grpc(keys: &Keys) -> Gate {
    let (clock, store, limiter) = (Fast::new(20_000), keys.store.clone(), MemoryLimiter::new());
    let builder = builder(clock, &BARE, store, limiter, Extras::None);
    guarded(builder.routes(routes()).grpc_services([GRPC_SERVICE]))
}

fn halves(one: &str, other: &str) -> String {
    format!("{}{}", one.get(..20).unwrap_or_default(), other.get(20..).unwrap_or_default())
}
