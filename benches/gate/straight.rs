//! What a gate costs beyond a straight function with the same primitives: 64 hot keys, and a million.

use std::sync::Arc;

use tower_api_key::Profile;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::LimitHeaders;

use crate::feed::{accepting, feed, feed_from, shuffled};
use crate::harness::{COLD_OPERATIONS, COLD_ROUNDS, Series, interleave};
use crate::report::{Report, Target};
use crate::subject::{
    BEARER_ONLY, Extras, Fast, Gate, Keys, Left, Straight, assert_agreement, bearer, builder,
    guarded, routes, timed,
};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
const HOT_SPEED: u64 = 20_000;

/// A gate and a straight function that leave nothing.
const BARE: Profile = Profile { limit_headers: LimitHeaders::NONE, ..BEARER_ONLY };

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    assert_agreement();
    let hot = keys.hot();
    let order = shuffled(keys);
    let limiter = Arc::new(MemoryLimiter::with_capacity(2_000_000));
    let cases = [
        ("bare", Left::Nothing, HOT_SPEED, &hot, Some(1.15)),
        ("with grant and headers", Left::GrantAndHeaders, HOT_SPEED, &hot, Some(1.0)),
        ("with grant and headers of a template", Left::GrantAndTemplate, HOT_SPEED, &hot, None),
        ("bare, a million keys", Left::Nothing, 1, &order, Some(1.05)),
        ("with grant and headers, a million keys", Left::GrantAndHeaders, 1, &order, None),
    ];
    // A steady state: every account has its counters before anything is measured.
    timed(
        &mut gated(keys, &limiter, Left::Nothing, Fast::new(1)),
        200,
        order.len(),
        feed(&order, bearer),
    );
    for (name, left, speed, texts, target) in cases {
        let series = compare(keys, &limiter, left, speed, texts);
        let [gated, straight, ahead] = &series[..] else { panic!("one series a case") };
        report.note(format!("straight: {name}"), straight.nanoseconds(), "ns");
        let (measure, figure) = (format!("straight: ours to it, {name}"), gated.times(straight));
        match target {
            Some(most) => report.hold(measure, figure, "times", Target::AtMost(most)),
            None => report.note(measure, figure, "times"),
        }
        if texts.len() > OPERATIONS {
            let measure = format!("straight: ours to it, {name}, both load counters ahead");
            report.note(measure, gated.times(ahead), "times");
        }
    }
}

/// Times a gate, and a straight function over the same store and limiter.
fn compare(
    keys: &Keys,
    limiter: &Arc<MemoryLimiter>,
    left: Left,
    speed: u64,
    texts: &[&String],
) -> Vec<Series> {
    // One clock for both: to their limiter another one would seem to be set back.
    let clock = Fast::new(speed);
    let mut gate = gated(keys, limiter, left, clock);
    let straight = || Straight::new(clock, &keys.store, limiter, left);
    let (mut straight, mut ahead) = (straight(), straight().loading_ahead());
    let is_hot = texts.len() < OPERATIONS;
    let (rounds, operations) =
        if is_hot { (ROUNDS, OPERATIONS) } else { (COLD_ROUNDS, COLD_OPERATIONS) };
    let cases = vec![
        accepting("gate", &mut gate, feed(texts, bearer)),
        accepting("straight", &mut straight, feed_from(texts.len() / 3, texts, bearer)),
        accepting("ahead", &mut ahead, feed_from(texts.len() / 3 * 2, texts, bearer)),
    ];
    interleave(cases, rounds, operations)
}

fn gated(keys: &Keys, limiter: &Arc<MemoryLimiter>, left: Left, clock: Fast) -> Gate {
    let (profile, extras) = match left {
        Left::Nothing => (&BARE, Extras::None),
        _ => (&BEARER_ONLY, Extras::Grant),
    };
    let (store, limiter) = (keys.store.clone(), Arc::clone(limiter));
    guarded(builder(clock, profile, store, limiter, extras).routes(routes()))
}
