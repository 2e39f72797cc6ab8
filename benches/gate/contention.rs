//! Two threads against one: accounts used uniformly, and one single key.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::Profile;
use tower_api_key::quota::Quota;

use crate::harness::{Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{Extras, Gate, Keys, PROFILE, bearer, gate, request, routes, timed};

/// Quotas that one key on two threads does not use up between two ticks of the clock.
const ROOMY: Profile = Profile {
    quotas: &[
        Quota::new("minute", 999_999, Duration::from_secs(60)),
        Quota::new("hour", 999_999, Duration::from_secs(3_600)),
    ],
    ..PROFILE
};

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    for (name, choices, speed, target) in
        [("accounts used uniformly", keys.texts.len(), 1, 1.9), ("ONE hot key", 1, 2_000_000, 1.6)]
    {
        let gate = gate(&ROOMY, &keys.store, routes(), speed, Extras::Grant);
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
