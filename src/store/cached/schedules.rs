//! Lookups and notices of one cache, in many random orders of their steps.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shuttle::thread;

use super::super::invalidation::Invalidation;
use super::inner::SharedCache;
use super::kept::Age;
use super::*;
use crate::clock::ManualClock;
use crate::key::{AccountId, KeyDigest, KeyRecord};
use crate::store::MemoryStore;
use crate::sync::{AtomicU64, explore};

const SECRET: KeyDigest = KeyDigest::from_bytes([7; 32]);

/// A cache, and the state of the key in the store behind it. The record's id ends with this number.
#[derive(Clone)]
struct World {
    cache: Cached<MemoryStore>,
    state: Arc<AtomicU64>,
}

impl World {
    fn new() -> Self {
        let cache = Cached::builder(MemoryStore::new()).clock(ManualClock::default()).build();
        Self { cache, state: Arc::new(AtomicU64::new(0)) }
    }

    /// Looks the secret up, as a task does.
    fn look_up(&self) {
        let inner: &Arc<SharedCache<MemoryStore>> = &self.cache.0;
        let (mut guard, _waiter) = inner.lookups.begin_now(SECRET, &inner.notices);
        let asked = inner.prepare(&mut guard);
        let state = self.state.load(Ordering::SeqCst);
        let record = KeyRecord::bare(&format!("key_{state}"), "acme");
        inner.settle(&mut guard, asked, Ok(Some(record.into())));
    }

    /// Changes the key, and notifies the cache.
    fn change(&self, what: &Invalidation) -> u64 {
        let state = self.state.fetch_add(1, Ordering::SeqCst) + 1;
        self.cache.invalidate(what);
        state
    }

    /// Returns the state with which the cache answers a request from memory.
    fn kept(&self) -> Option<u64> {
        let (kept, age) = self.cache.0.kept(&SECRET)?;
        let id = kept.record.id().as_str();
        (age == Age::Fresh).then(|| id.strip_prefix("key_").unwrap().parse().unwrap())
    }
}

#[test]
fn nothing_older_than_a_notice_is_answered_after_it() {
    for (name, what) in [
        ("a secret", Invalidation::Secret(SECRET)),
        ("an account", Invalidation::Account(AccountId::new("acme").unwrap())),
        ("everything", Invalidation::Everything),
    ] {
        explore(&format!("lookups while there are notices of {name}"), move || {
            let world = World::new();
            let lookups = [(); 2].map(|()| {
                let world = world.clone();
                thread::spawn(move || {
                    world.look_up();
                    world.look_up();
                })
            });
            for _ in 0..2 {
                let state = world.change(&what);
                let kept = world.kept();
                assert!(kept.is_none_or(|kept| kept >= state), "{kept:?} after {state}");
            }
            lookups.into_iter().for_each(|thread| thread.join().unwrap());
            let (state, kept) = (world.state.load(Ordering::SeqCst), world.kept());
            assert!(kept.is_none_or(|kept| kept == state), "{kept:?} after {state}, at the end");
            world.look_up();
            assert_eq!(world.kept(), Some(state), "a record that no notice named is kept");
        });
    }
}

/// A request reads the last proof before it reads its record, so that it also sees the notices before the proof.
#[test]
fn no_proof_speaks_for_a_record_that_a_notice_before_it_named() {
    for (name, what) in [
        ("a secret", Invalidation::Secret(SECRET)),
        ("an account", Invalidation::Account(AccountId::new("acme").unwrap())),
        ("everything", Invalidation::Everything),
    ] {
        explore(&format!("requests while a notice of {name} and a proof come"), move || {
            let clock = ManualClock::default();
            let cache = Cached::builder(MemoryStore::new()).clock(clock.clone()).build();
            let world = World { cache, state: Arc::new(AtomicU64::new(0)) };
            world.look_up();
            let source = world.cache.0.notices.proofs.add_source();
            clock.advance(Duration::from_secs(60));
            assert_eq!(world.kept(), None, "no proof came since");
            let requests = [(); 2].map(|()| {
                let world = world.clone();
                thread::spawn(move || assert_eq!(world.kept(), None, "it changed before the proof"))
            });
            world.change(&what);
            let inner = &world.cache.0;
            inner.notices.proofs.record(source, inner.moment());
            requests.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(world.kept(), None);
            world.look_up();
            clock.advance(Duration::from_secs(60));
            inner.notices.proofs.record(source, inner.moment());
            assert_eq!(world.kept(), Some(1), "a record from after the notice is proven");
        });
    }
}
