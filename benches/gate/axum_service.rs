//! An axum service: our gate, to a middleware that was written by hand. What is compared is the time of the processor that
//! this thread takes for a request, from the call of the router to its response.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use rustix::time::{ClockId, clock_gettime};
use tower::Service;
use tower_api_key::limits::MemoryLimiter;

use crate::feed::{feed, shuffled};
use crate::harness::{COLD_OPERATIONS, COLD_ROUNDS, Case, interleave};
use crate::report::{Report, Target};
use crate::subject::{Extras, Fast, Keys, PROFILE, bearer, builder, by_hand, gated, open, routes};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
/// Calls between two readings of the clock, which is a call of the kernel.
const BATCH: usize = 64;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let (hot, order) = (keys.hot(), shuffled(keys));
    let theirs = by_hand(&keys.texts);
    for (name, texts, speed, rounds, operations, most) in [
        ("64 hot keys", &hot, 20_000, ROUNDS, OPERATIONS, Some(0.75)),
        ("a million keys", &order, 1, COLD_ROUNDS, COLD_OPERATIONS, None),
    ] {
        let (mut ours, mut theirs, mut open) = (router(keys, speed), theirs.clone(), open());
        // A steady state: every account has its counters before anything is measured.
        for router in [&mut ours, &mut theirs] {
            let mut next = feed(texts, bearer);
            timed(router, texts.len(), &mut next);
        }
        let [mut to_ours, mut to_theirs, mut to_open] = [(); 3].map(|()| feed(texts, bearer));
        let cases = vec![
            Case::new("gate", |operations| timed(&mut ours, operations, &mut to_ours)),
            Case::new("by hand", |operations| timed(&mut theirs, operations, &mut to_theirs)),
            // What the router takes by itself is a part of both.
            Case::new("open", |operations| timed(&mut open, operations, &mut to_open)),
        ];
        let series = interleave(cases, rounds, operations);
        let [ours, theirs, open] = &series[..] else { panic!("one series a case") };
        report.note(format!("axum: the router alone, {name}"), open.nanoseconds(), "ns");
        report.note(format!("axum: our gate beyond it, {name}"), ours.more_than(open), "ns");
        report.note(format!("axum: by hand beyond it, {name}"), theirs.more_than(open), "ns");
        let measure = format!("axum: our gate to a hand-written `from_fn`, {name}");
        match most {
            Some(most) => report.hold(measure, ours.times(theirs), "times", Target::AtMost(most)),
            None => report.note(measure, ours.times(theirs), "times"),
        }
    }
}

/// Builds a gate's router, with counters of its own.
fn router(keys: &Keys, speed: u64) -> Router {
    let limiter = MemoryLimiter::with_capacity(2_000_000);
    let (clock, store) = (Fast::new(speed), keys.store.clone());
    gated(builder(clock, &PROFILE, store, limiter, Extras::Grant).routes(routes()))
}

/// Times a router. Making requests and freeing responses is left out.
fn timed(
    router: &mut Router,
    operations: usize,
    next: &mut impl FnMut() -> Request<()>,
) -> Duration {
    let mut took = Duration::ZERO;
    let (mut batch, mut responses) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    for start in (0..operations).step_by(BATCH) {
        let requests = (start..operations).take(BATCH).map(|_| next().map(|()| Body::empty()));
        batch.extend(requests);
        let began = of_this_thread();
        for request in batch.drain(..) {
            responses.push(call(router, request));
        }
        took += of_this_thread().saturating_sub(began);
        for response in responses.drain(..) {
            assert_eq!(black_box(response).status(), 200);
        }
    }
    took
}

fn call(router: &mut Router, request: Request<Body>) -> Response<Body> {
    let mut context = Context::from_waker(Waker::noop());
    let ready = Service::<Request<Body>>::poll_ready(router, &mut context);
    assert!(ready.is_ready());
    match pin!(router.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => {
            let never: Infallible = never;
            match never {}
        }
        Poll::Pending => panic!("a service over memory had to wait"),
    }
}

/// Returns the time of the processor that this thread has taken so far.
fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("below a second"))
}
