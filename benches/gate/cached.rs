//! Accepting behind a cache, to accepting over the memory store itself. The cache has all keys, so no request waits: what
//! is measured is what a program pays for each request that its cache of a database answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tower_api_key::key::KeyHasher;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::store::{Cached, KeyStore, MemoryStore};

use crate::feed::{accepting, feed, feed_from, shuffled};
use crate::harness::{COLD_OPERATIONS, COLD_ROUNDS, interleave};
use crate::report::{Report, Target};
use crate::subject::{Extras, Fast, Gate, Keys, PROFILE, bearer, builder, guarded, routes, timed};

const ROUNDS: usize = 120;
const OPERATIONS: usize = 4096;
const HOT_SPEED: u64 = 20_000;

pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    let hot = keys.hot();
    let order = shuffled(keys);
    // The cache is filled in the order of the store, and not in that of the requests. Else they would find each record just
    // behind the one before.
    let all: Vec<&String> = keys.texts.iter().collect();
    for (name, texts, filling, speed, most) in
        [("64 hot keys", &hot, &hot, HOT_SPEED, 1.02), ("a million keys", &order, &all, 1, 1.10)]
    {
        let cache = filled(keys, filling.iter().copied(), filling.len());
        let limiter = Arc::new(MemoryLimiter::with_capacity(2_000_000));
        // One clock for both: to their limiter another one would seem to be set back.
        let clock = Fast::new(speed);
        let (mut cached, mut direct) =
            (over(cache, &limiter, clock), over(keys.store.clone(), &limiter, clock));
        // A steady state: every account has its counters, and the tables of both know their places. A record learns its
        // place by the first request, and the slot of a cached one by the second.
        for gate in [&mut cached, &mut direct] {
            timed(gate, 200, 2 * texts.len(), feed(texts, bearer));
        }
        let cases = vec![
            accepting("cached", &mut cached, feed(texts, bearer)),
            accepting("direct", &mut direct, feed_from(texts.len() / 2, texts, bearer)),
        ];
        let is_hot = texts.len() < OPERATIONS;
        let (rounds, operations) =
            if is_hot { (ROUNDS, OPERATIONS) } else { (COLD_ROUNDS, COLD_OPERATIONS) };
        let series = interleave(cases, rounds, operations);
        let [cached, direct] = &series[..] else { panic!("one series a case") };
        report.note(format!("cached: {name}"), cached.nanoseconds(), "ns");
        report.hold(
            format!("cached: behind `Cached` to the memory store, {name}"),
            cached.times(direct),
            "times",
            Target::AtMost(most),
        );
    }
}

fn over(store: impl KeyStore, limiter: &Arc<MemoryLimiter>, clock: Fast) -> Gate {
    let limiter = Arc::clone(limiter);
    guarded(builder(clock, &PROFILE, store, limiter, Extras::Grant).routes(routes()))
}

/// Builds a cache that has these keys, which answers them from memory for an hour.
///
/// The cache has shards, over which keys do not spread evenly. So it has room for some more.
pub(crate) fn filled<'a>(
    keys: &Keys,
    texts: impl Iterator<Item = &'a String>,
    count: usize,
) -> Cached<MemoryStore> {
    let cache = Cached::builder(keys.store.clone())
        .staleness(Duration::from_secs(3_600))
        .capacity(count + count / 4 + 1_000, 1_000)
        .build();
    let hasher = KeyHasher::sha256();
    let runtime = runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        for text in texts {
            let found = cache.find(&hasher.digest(text.as_bytes())).await;
            assert!(found.is_ok_and(|record| record.is_some()), "the store knows the key");
        }
    });
    assert_eq!(cache.len(), count, "the cache has all keys");
    cache
}
