//! Accepting with a Redis lease in hand, to accepting with the limiter in memory: what a request pays that needs no
//! round trip. A real server on loopback hands the leases out.
//!
//! Both gates have no limit headers: numbers as large as these quotas are formatted for each header, which would hide
//! the difference.

use std::cell::Cell;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::Request;
use tokio::runtime::{self, Runtime};
use tower::Service;
use tower_api_key::Profile;
use tower_api_key::clock::SystemClock;
use tower_api_key::limits::{Limiter, MemoryLimiter};
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::Quota;
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::feed::feed;
use crate::harness::{Case, interleave};
use crate::redis_server::RedisServer;
use crate::report::{Report, Target};
use crate::subject::{Extras, Gate, Keys, PROFILE, bearer, builder, free_served, guarded, routes};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
/// Requests between two readings of the clock. If one of them waits, none of them counts.
const BATCH: usize = 64;
/// Requests before anything is measured: a node takes a part of what it spent lately.
const WARM_UP: usize = 2_000_000;
/// Tokens of a batch at most.
const MOST: NonZeroU32 = NonZeroU32::new(100_000_000).expect("not zero");

/// Quotas that 64 accounts do not use up in a run.
const VAST: Profile = Profile {
    quotas: &[
        Quota::new("hour", 1_000_000_000, Duration::from_secs(3_600)),
        Quota::new("two_hours", 2_000_000_000, Duration::from_secs(7_200)),
    ],
    limit_headers: LimitHeaders::NONE,
    ..PROFILE
};

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let Some(server) = RedisServer::start() else {
        println!("leases: skipped, because redis-server is not installed");
        return;
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let limiter = runtime.block_on(async {
        let builder = RedisLimiter::builder(&server.url()).timeout(Duration::from_secs(20));
        builder.lease(Lease::new().at_most(MOST)).build().expect("a valid URL")
    });
    let hot = keys.hot();
    let mut leased = over(keys, limiter);
    let mut direct = over(keys, MemoryLimiter::new());
    let waited = Cell::new(0);
    let mut next = feed(&hot, bearer);
    let mut next_direct = feed(&hot, bearer);
    timed(&runtime, &mut leased, WARM_UP, &waited, &mut next);
    waited.set(0);
    let cases = vec![
        Case::new("leased", |n| timed(&runtime, &mut leased, n, &waited, &mut next)),
        Case::new("in memory", |n| timed(&runtime, &mut direct, n, &waited, &mut next_direct)),
    ];
    let series = interleave(cases, ROUNDS, OPERATIONS);
    let [leased, direct] = &series[..] else { panic!("one series a case") };
    #[allow(clippy::cast_precision_loss)] // Far below 2^52.
    let share = waited.get() as f64 / (ROUNDS * OPERATIONS) as f64;
    report.note("leases: a lease in hand", leased.nanoseconds(), "ns");
    report.note("leases: requests that waited for Redis, left out", share * 100.0, "%");
    report.hold(
        "leases: a lease in hand to the limiter in memory, 64 hot keys",
        leased.times(direct),
        "times",
        Target::AtMost(1.25),
    );
}

fn over(keys: &Keys, limiter: impl Limiter) -> Gate {
    let builder = builder(SystemClock, &VAST, keys.store.clone(), limiter, Extras::Grant);
    guarded(builder.routes(routes()))
}

/// Times the requests that are answered at once, and returns the time of as many as were asked for. Those that wait for
/// Redis are served, too, and counted.
fn timed(
    runtime: &Runtime,
    gate: &mut Gate,
    operations: usize,
    waited: &Cell<usize>,
    next: &mut impl FnMut() -> Request<()>,
) -> Duration {
    let _entered = runtime.enter();
    let (mut took, mut counted) = (Duration::ZERO, 0);
    let (mut batch, mut answered) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let mut context = Context::from_waker(Waker::noop());
    while counted < operations {
        batch.extend((0..BATCH).map(|_| next()));
        let before = waited.get();
        let began = Instant::now();
        for request in batch.drain(..) {
            let mut future = pin!(gate.call(request));
            answered.push(match future.as_mut().poll(&mut context) {
                Poll::Ready(response) => response,
                Poll::Pending => {
                    waited.set(waited.get() + 1);
                    runtime.block_on(future)
                }
            });
        }
        let elapsed = began.elapsed();
        if waited.get() == before {
            (took, counted) = (took + elapsed, counted + BATCH);
        }
        for response in answered.drain(..) {
            assert_eq!(response.map(|it| it.status().as_u16()), Ok(200));
        }
        free_served();
    }
    took
}
