//! Two threads against one: accounts used uniformly, one single key, one key behind a cache, and gates that are cloned for
//! each request.

use std::convert::Infallible;
use std::sync::Barrier;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use http::{Request, Response};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower::{Layer, Service};
use tower_api_key::limits::MemoryLimiter;

use crate::cached;
use crate::harness::{Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{
    Extras, Fast, Gate, Keys, ROOMY, bearer, builder, gate, guarded, nothing, request, routes,
    timed,
};

/// Time runs so much faster for one key that its quotas last.
const HOT_SPEED: u64 = 2_000_000;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let over_memory = |speed| gate(&ROOMY, &keys.store, routes(), speed, Extras::Grant);
    let one = 1;
    let uniform = over_memory(1);
    hold(report, "accounts used uniformly", || uniform.clone(), keys, keys.texts.len(), Some(1.9));
    let hot = over_memory(HOT_SPEED);
    hold(report, "ONE hot key", || hot.clone(), keys, one, Some(1.6));
    let clock = Fast::new(HOT_SPEED);
    let cached = cached::filled(keys, keys.texts.iter().take(one), one);
    let cached = builder(clock, &ROOMY, cached, MemoryLimiter::new(), Extras::Grant);
    let cached = guarded(cached.routes(routes()));
    hold(report, "ONE hot key, cached", || cached.clone(), keys, one, Some(1.7));
    let store = keys.store.clone();
    let layer = builder(clock, &ROOMY, store, MemoryLimiter::new(), Extras::Grant).routes(routes());
    let layer = layer.build().expect("valid");
    let cloned = || Cloned(layer.layer(nothing()));
    hold(report, "a gate for each connection, cloned for each request", cloned, keys, one, None);
}

/// A gate that is cloned for each request, as axum and hyper-util do.
struct Cloned(Gate);

impl Service<Request<()>> for Cloned {
    type Response = <Gate as Service<Request<()>>>::Response;
    type Error = Infallible;
    type Future = <Gate as Service<Request<()>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.clone().call(request)
    }
}

/// Measures one thread and two threads with the first `choices` keys. Each thread has a service of its own, as each
/// connection has.
fn hold<S, B>(
    report: &mut Report,
    name: &str,
    make: impl Fn() -> S + Copy + Sync,
    keys: &Keys,
    choices: usize,
    target: Option<f64>,
) where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let run = |threads: usize| move |operations| run(make, keys, choices, threads, operations);
    let cases = vec![Case::new("one", run(1)), Case::new("two", run(2))];
    let series = interleave(cases, 60, 40_000);
    let [one, two] = &series[..] else { panic!("one series a case") };
    // Both times are of one thread's operations, of which two threads do twice as many.
    let (measure, figure) = (format!("two threads to one: {name}"), 2.0 * one.times(two));
    match target {
        Some(least) => report.hold(measure, figure, "times", Target::AtLeast(least)),
        None => report.note(measure, figure, "times"),
    }
}

/// Lets each thread do so many operations, and returns the longest time that one took.
fn run<S, B>(
    make: impl Fn() -> S + Sync,
    keys: &Keys,
    choices: usize,
    threads: usize,
    operations: usize,
) -> Duration
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let (make, start) = (&make, &start);
                scope.spawn(move || {
                    let mut service = make();
                    let mut random = SmallRng::seed_from_u64(number as u64);
                    start.wait();
                    timed(&mut service, 200, operations, || {
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
