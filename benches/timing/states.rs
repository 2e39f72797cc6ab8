//! Keys that nobody has, and keys that serve no more, through the whole gate.

use std::cell::RefCell;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower::Service;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::store::MemoryStore;

use crate::sampling::{Bound, Class, Outcome, Samples, sample};
use crate::subject::{Extras, KEYS_PER_ACCOUNT, PROFILE, bearer, call, gate, key, request, routes};

/// Keys of each state: so few that their records stay in the cache, as that of a key does which somebody
/// asks for over and over; and so many that they do not.
const POOLS: [usize; 2] = [80, 50_000];
/// What a known key may cost more, in nanoseconds, if its record is in the cache: it is found, held,
/// judged and let go.
const MOST_MORE: f64 = 50.0;

type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;

const STATES: [(&str, Change); 5] = [
    ("revoked", |key| key.revoked(true)),
    ("disabled", |key| key.disabled(true)),
    ("expired", |key| key.expires(Timestamp::from_unix_seconds(1))),
    ("not yet valid", |key| key.not_before(Timestamp::MAX)),
    ("of a disabled account", |key| key),
];

pub(crate) fn measure(outcome: &mut Outcome, samples: usize) {
    for keys in POOLS {
        println!("\nKeys that do not serve, {keys} of each state, through the gate");
        let taken = by_state(keys, samples);
        let [unknown, again, known @ ..] = &taken[..] else { panic!("one series a class") };
        outcome.compare(unknown, again, &Bound::Alike);
        for known in known {
            let is_hot = keys == POOLS[0];
            let bound = if is_hot { Bound::Nanoseconds(MOST_MORE) } else { Bound::Printed };
            outcome.compare(unknown, known, &bound);
        }
    }
}

fn by_state(keys: usize, count: usize) -> Vec<Samples> {
    let mut random = SmallRng::seed_from_u64(31);
    let store = MemoryStore::new();
    let unknown: Arc<[String]> = (0..keys).map(|_| key(&mut random)).collect();
    let mut pools = vec![("unknown", Arc::clone(&unknown)), ("unknown, once more", unknown)];
    for (name, change) in STATES {
        let known: Arc<[String]> = (0..keys).map(|_| key(&mut random)).collect();
        for (index, key) in known.iter().enumerate() {
            let number = pools.len() * keys + index;
            let owner = Account::builder(format!("account_{}", number / KEYS_PER_ACCOUNT))
                .disabled(name == "of a disabled account");
            let owner = Arc::new(owner.build().expect("valid"));
            let record = change(KeyRecord::builder(format!("key_{number}"), owner)).build();
            store.add_now(KeyHasher::sha256().digest(key.as_bytes()), record.expect("valid"));
        }
        pools.push((name, known));
    }
    // One gate and one source for all: where two lie in memory would show in the time, too.
    let gate = RefCell::new(gate(&PROFILE, &store, routes(), 1, Extras::Grant));
    let (gate, random) = (&gate, &RefCell::new(random));
    let classes = pools.into_iter().map(|(name, keys)| {
        Class::new(name, move || {
            let key = &keys[random.borrow_mut().random_range(0..keys.len())];
            refusing(&mut *gate.borrow_mut(), request("/v1/users", bearer(key)))
        })
    });
    sample(classes.collect(), count)
}

/// Times a request that is refused; neither making it nor freeing the answer counts.
pub(crate) fn refusing<S, B>(gate: &mut S, request: Request<()>) -> Duration
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let began = Instant::now();
    let response = call(gate, black_box(request));
    let took = began.elapsed();
    assert_eq!(black_box(response).status().as_u16(), 401);
    took
}
