//! Digests that share their first bytes with a stored one, looked up in the store.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use tower_api_key::key::{KeyDigest, KeyRecord};
use tower_api_key::store::{KeyStore, MemoryStore};

use crate::sampling::{Bound, Class, Outcome, Samples, sample, sharing};
use crate::subject::{KEYS_PER_ACCOUNT, account};

/// Lookups that are timed as one: a single one takes as long as reading the clock.
const LOOKUPS: usize = 16;

pub(crate) fn measure(outcome: &mut Outcome, samples: usize) {
    // The one table and its records fit the cache, the other's do not.
    for keys in [4_096, 1_000_000] {
        println!(
            "\n{LOOKUPS} lookups of digests that nobody has, among {keys} keys, by the bytes shared with one"
        );
        let taken = by_bytes(keys, samples);
        let [none, again, two, four, five, eight, sixteen, last] = &taken[..] else {
            panic!("one series a class")
        };
        outcome.compare(none, again, &Bound::Alike);
        outcome.compare(none, two, &Bound::Printed);
        outcome.compare(none, four, &Bound::Printed);
        for more in [five, eight, sixteen, last] {
            outcome.compare(four, more, &Bound::Alike);
        }
    }
}

fn by_bytes(keys: usize, count: usize) -> Vec<Samples> {
    let mut random = SmallRng::seed_from_u64(21);
    let store = MemoryStore::new();
    let mut stored: Vec<[u8; 32]> = Vec::with_capacity(keys);
    let mut owner = account(0);
    for index in 0..keys {
        if index % KEYS_PER_ACCOUNT == 0 {
            owner = account(index / KEYS_PER_ACCOUNT);
        }
        let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(&owner)).build();
        let digest = bytes(&mut random);
        store.add_now(KeyDigest::from_bytes(digest), record.expect("valid"));
        stored.push(digest);
    }
    let mut class = |name, shared: usize| {
        let (store, stored) = (&store, &stored);
        let mut random = SmallRng::seed_from_u64(random.random());
        Class::new(name, move || {
            // Others each time: a fixed set would also differ by where in the table it happens to lie.
            let asked: [KeyDigest; LOOKUPS] = std::array::from_fn(|_| {
                let near = stored[random.random_range(0..keys)];
                let mut other = bytes(&mut random);
                // Not one bit more than is meant.
                other[shared] = !near[shared];
                KeyDigest::from_bytes(sharing(shared, &near, &other))
            });
            let mut context = Context::from_waker(Waker::noop());
            let began = Instant::now();
            for digest in &asked {
                let found = pin!(store.find(black_box(digest))).poll(&mut context);
                assert!(matches!(black_box(found), Poll::Ready(Ok(None))));
            }
            began.elapsed()
        })
    };
    let classes = vec![
        class("none", 0),
        class("none, once more", 0),
        class("2 bytes", 2),
        class("4 bytes", 4),
        class("5 bytes", 5),
        class("8 bytes", 8),
        class("16 bytes", 16),
        class("31 bytes", 31),
    ];
    sample(classes, count)
}

fn bytes(random: &mut SmallRng) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    bytes
}
