//! Presented keys that share a long beginning with a real key.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use secrecy::ExposeSecret;
use tower_api_key::key::{Issuer, KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

use crate::sampling::{Bound, Class, Outcome, sample};
use crate::states::refusing;
use crate::subject::{Extras, FORMAT, PROFILE, account, bearer, gate, request, routes};

const REAL: usize = 64;
/// The characters that a key of `FORMAT` draws, and the alphabet that it draws them from.
const DRAWN: usize = 29;
const ALPHABET: u8 = 62;

pub(crate) fn measure(outcome: &mut Outcome, samples: usize) {
    let mut random = SmallRng::seed_from_u64(11);
    let real: Vec<[u8; DRAWN]> = (0..REAL).map(|_| draw(&mut random)).collect();
    let store = MemoryStore::new();
    for (index, drawn) in real.iter().enumerate() {
        let record = KeyRecord::builder(format!("key_{index}"), account(index)).build();
        let digest = KeyHasher::sha256().digest(key(drawn).as_bytes());
        store.insert(digest, record.expect("valid"));
    }
    // Every other last character of every real key; and as many keys that have nothing to do with any.
    let near: Arc<[String]> = real
        .iter()
        .flat_map(|drawn| {
            let [.., last] = *drawn;
            (0..ALPHABET).filter(move |other| *other != last).map(move |other| {
                let mut drawn = *drawn;
                drawn[DRAWN - 1] = other;
                key(&drawn)
            })
        })
        .collect();
    let far: Arc<[String]> = near.iter().map(|_| key(&draw(&mut random))).collect();
    let gate = gate(&PROFILE, &store, routes(), 1, Extras::Grant);
    let mut pick = SmallRng::seed_from_u64(12);
    let mut class = |name, keys: &Arc<[String]>| {
        let keys = Arc::clone(keys);
        let (mut gate, mut pick) = (gate.clone(), SmallRng::seed_from_u64(pick.random()));
        Class::new(name, move || {
            let key = &keys[pick.random_range(0..keys.len())];
            refusing(&mut gate, request("/v1/users", bearer(key)))
        })
    };
    let classes = vec![
        class("far from any key", &far),
        class("far, once more", &far),
        class("a key but for its last", &near),
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
    issued.expect("the format is strong").secret().expose_secret().to_owned()
}
