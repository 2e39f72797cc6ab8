//! Refusals, body included: those that need no store, and that of an unknown key.

use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::harness::{Case, interleave};
use crate::peers;
use crate::report::{Report, Target};
use crate::subject::{BARE, Extras, Keys, bearer, gate, key, request, routes, timed};

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let mut random = SmallRng::seed_from_u64(3);
    let unknown: Vec<String> = (0..4096).map(|_| key(&mut random)).collect();
    let text = |at: usize| keys.texts.get(at * 7919 % keys.texts.len()).map_or("", String::as_str);
    let mut constant = peers::constant(text(0));
    let bare = gate(&BARE, &keys.store, routes(), 20_000, Extras::None);
    let cases = [
        ("no credential", 401, None::<fn(&str, &str) -> String>),
        ("malformed", 400, Some(|one: &str, _: &str| format!("{one},"))),
        // Two halves of two keys fit the alphabet and the length, and not each other.
        ("failed checksum", 401, Some(|one: &str, other: &str| halves(one, other))),
    ];
    let (mut refusing, mut accepting) = (bare.clone(), bare.clone());
    let (mut next, mut known) = (0, 0);
    let mut measured: Vec<Case<'_>> = vec![Case::new("a constant Bearer refuses", |n| {
        timed(&mut constant, 401, n, || request("/v1/users", bearer(text(1))))
    })];
    for (name, status, make) in cases {
        let mut bare = bare.clone();
        let mut at = 0;
        measured.push(Case::new(name, move |n| {
            timed(&mut bare, status, n, || {
                at += 1;
                let token = make.map(|make| make(text(at), text(at + 1)));
                request("/v1/users", token.and_then(|token| bearer(&token)))
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
            Target::AtMost(4.0),
        );
    }
    report.hold(
        "refuse: unknown key to an accept, a million keys",
        unknown.times(accept),
        "times",
        Target::AtMost(1.0),
    );
}

fn halves(one: &str, other: &str) -> String {
    format!("{}{}", one.get(..20).unwrap_or_default(), other.get(20..).unwrap_or_default())
}
