//! The accept path: all of it, hot and over a million keys, beside what is composed today.

use crate::feed::{accepting, feed, shuffled};
use crate::harness::{COLD_OPERATIONS, COLD_ROUNDS, interleave};
use crate::peers;
use crate::report::{Report, Target};
use crate::subject::{
    BARE, Extras, HOT, Keys, PROFILE, basic, bearer, gate, nothing, request, routes, timed,
};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
/// Time runs so much faster for keys that are used over and over that their quotas last.
const HOT_SPEED: u64 = 20_000;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let order = shuffled(keys);
    let hot: Vec<&String> = order.iter().copied().take(HOT).collect();
    let one = hot.first().map_or("", |text| text.as_str());

    let (mut none, mut none_again) = (nothing(), nothing());
    let mut constant = peers::constant(one);
    let mut composed = peers::composed(&keys.texts);
    let mut composed_cold = composed.clone();
    // A limiter of its own for each gate: the hot gates share the keys of the cold one otherwise,
    // and its places.
    let mut full = gate(&PROFILE, &keys.store, routes(), HOT_SPEED, Extras::Grant);
    let mut full_basic = full.clone();
    let mut bare = gate(&BARE, &keys.store, routes(), HOT_SPEED, Extras::None);
    let mut cold = gate(&PROFILE, &keys.store, routes(), 1, Extras::Grant);
    // A steady state: every account has its counters before anything is measured.
    timed(&mut cold, 200, order.len(), feed(&order, bearer));
    timed(&mut composed_cold, 200, order.len(), feed(&order, bearer));

    let cases = vec![
        accepting("no gate", &mut none, feed(&hot, bearer)),
        accepting("constant", &mut constant, || request("/v1/users", bearer(one))),
        accepting("bare", &mut bare, feed(&hot, bearer)),
        accepting("Bearer", &mut full, feed(&hot, bearer)),
        accepting("Basic", &mut full_basic, feed(&hot, basic)),
        accepting("composed", &mut composed, feed(&hot, bearer)),
        accepting("no gate again", &mut none_again, feed(&hot, bearer)),
    ];
    let series = interleave(cases, ROUNDS, OPERATIONS);
    let [none, constant, bare, full, basic, composed, again] = &series[..] else {
        panic!("one series a case")
    };
    let cases = vec![
        accepting("Bearer, a million keys", &mut cold, feed(&order, bearer)),
        accepting("composed, a million keys", &mut composed_cold, feed(&order, bearer)),
    ];
    let series = interleave(cases, COLD_ROUNDS, COLD_OPERATIONS);
    let [cold, composed_cold] = &series[..] else { panic!("one series a case") };
    for one in [none, constant, bare, full, basic, composed, cold, composed_cold] {
        report.note(format!("accept: {}", one.name), one.nanoseconds(), "ns");
    }
    report.note("accept: the same case twice, ratio", again.times(none), "times");
    report.hold(
        "accept: a million keys uniformly, composed stack to ours",
        composed_cold.times(cold),
        "times",
        Target::AtLeast(3.0),
    );
    report.hold(
        "accept: 64 hot keys, composed stack to ours",
        composed.times(full),
        "times",
        Target::AtLeast(2.2),
    );
    report.note(
        "accept: hot, no headers, no grant, ours to a constant Bearer",
        bare.times(constant),
        "times",
    );
    report.hold(
        "accept: Basic beyond Bearer, in parts of a Bearer accept",
        basic.share_beyond(full),
        "parts",
        Target::AtMost(0.06),
    );
}
