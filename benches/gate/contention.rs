//! Two threads against one: accounts used uniformly, one single key, and one key behind a cache.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::limits::MemoryLimiter;

use crate::cached;
use crate::harness::{Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{
    Extras, Fast, Gate, Keys, ROOMY, bearer, builder, gate, guarded, request, routes, timed,
};

/// Time runs so much faster for one key that its quotas last.
const HOT_SPEED: u64 = 2_000_000;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let over_memory = |speed| gate(&ROOMY, &keys.store, routes(), speed, Extras::Grant);
    let one = 1;
    hold(report, "accounts used uniformly", &over_memory(1), keys, keys.texts.len(), 1.9);
    hold(report, "ONE hot key", &over_memory(HOT_SPEED), keys, one, 1.6);
    let cached = cached::filled(keys, keys.texts.iter().take(one), one);
    let clock = Fast::new(HOT_SPEED);
    let gate = builder(clock, &ROOMY, cached, MemoryLimiter::new(), Extras::Grant);
    hold(report, "ONE hot key, cached", &guarded(gate.routes(routes())), keys, one, 1.7);
}

/// Measures one thread and two threads with the first `choices` keys.
fn hold(report: &mut Report, name: &str, gate: &Gate, keys: &Keys, choices: usize, target: f64) {
    let run = |threads: usize| {
        let gate = gate.clone();
        move |operations| run(&gate, keys, choices, threads, operations)
    };
    let cases = vec![Case::new("one", run(1)), Case::new("two", run(2))];
    let series = interleave(cases, 60, 40_000);
    let [one, two] = &series[..] else { panic!("one series a case") };
    // Both times are of one thread's operations, of which two threads do twice as many.
    report.hold(
        format!("two threads to one: {name}"),
        2.0 * one.times(two),
        "times",
        Target::AtLeast(target),
    );
}

/// Lets each thread do so many operations with a gate of its own, as each connection has, and
/// returns the longest time that one took.
fn run(gate: &Gate, keys: &Keys, choices: usize, threads: usize, operations: usize) -> Duration {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (mut gate, start) = (gate.clone(), &start);
                scope.spawn(move || {
                    let mut random = SmallRng::seed_from_u64(number as u64);
                    start.wait();
                    timed(&mut gate, 200, operations, || {
                        let text = keys.texts.get(random.random_range(0..choices));
                        request("/v1/users", text.and_then(|text| bearer(text)))
                    })
                })
            })
            .collect();
        let took = workers.into_iter().map(|worker| worker.join().expect("it does not panic"));
        took.max().unwrap_or_default()
    })
}
