//! Presented keys that share a long beginning with a real key.

use std::cell::RefCell;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::key::{Issuer, KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

use crate::sampling::{Bound, Class, Outcome, sample, sharing};
use crate::states::refusing;
use crate::subject::{Extras, FORMAT, PROFILE, account, bearer, gate, request, routes};

const REAL: usize = 64;
/// The characters that a key of `FORMAT` draws, and the alphabet that it draws them from.
const DRAWN: usize = 29;
const ALPHABET: u8 = 62;
/// How many of them a key near a real one shares; the rest are of 15 million.
const SHARED: usize = DRAWN - 4;

pub(crate) fn measure(outcome: &mut Outcome, samples: usize) {
    let mut random = SmallRng::seed_from_u64(11);
    let real: Vec<[u8; DRAWN]> = (0..REAL).map(|_| draw(&mut random)).collect();
    let store = MemoryStore::new();
    for (index, drawn) in real.iter().enumerate() {
        let record = KeyRecord::builder(format!("key_{index}"), account(index)).build();
        let digest = KeyHasher::sha256().digest(key(drawn).as_bytes());
        store.add_now(digest, record.expect("valid"));
    }
    // One gate and one source for all: where two lie in memory would show in the time, too.
    let gate = RefCell::new(gate(&PROFILE, &store, routes(), 1, Extras::Grant));
    let (gate, random, real) = (&gate, &RefCell::new(random), &real);
    let class = |name, shared: usize| {
        Class::new(name, move || {
            let random = &mut *random.borrow_mut();
            // Another each time: a fixed set would also differ by where in the table it happens to lie.
            let near = &real[random.random_range(0..REAL)];
            let drawn = sharing(shared, near, &draw(random));
            refusing(&mut *gate.borrow_mut(), request("/v1/users", bearer(&key(&drawn))))
        })
    };
    let classes = vec![
        class("far from any key", 0),
        class("far, once more", 0),
        class("all but the last four", SHARED),
    ];
    let samples = sample(classes, samples);
    println!("\nUnknown keys through the gate, by what they share with a real key");
    outcome.compare(&samples[0], &samples[1], &Bound::Alike);
    outcome.compare(&samples[0], &samples[2], &Bound::Alike);
}

fn draw(random: &mut SmallRng) -> [u8; DRAWN] {
    std::array::from_fn(|_| random.random_range(0..ALPHABET))
}

/// Makes the key of these characters, with the checksum that belongs to it.
fn key(drawn: &[u8; DRAWN]) -> String {
    let issued = Issuer::new(FORMAT, KeyHasher::sha256()).insecure_issue_from(None, |bytes| {
        bytes[..DRAWN].copy_from_slice(drawn);
        Ok(())
    });
    issued.expect("the format is strong").expose().to_owned()
}
