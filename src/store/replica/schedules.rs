//! Requests, the task that follows a store, and the clock, in many random orders of their steps.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shuttle::thread;

use super::settings::FollowSettings;
use super::shared::SharedReplica;
use crate::clock::{Clock, ManualClock};
use crate::key::{KeyDigest, KeyId, KeyRecord};
use crate::store::MemoryStore;
use crate::sync::{AtomicU64, explore};

const SECRET: KeyDigest = KeyDigest::from_bytes([7; 32]);
const SECOND: Duration = Duration::from_secs(1);
const STALENESS: Duration = Duration::from_secs(5);

fn replica(clock: &ManualClock) -> Arc<SharedReplica> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Arc::new(SharedReplica::new(FollowSettings {
        clock,
        staleness: STALENESS,
        ..FollowSettings::default()
    }))
}

/// Writes a state of the key: the account's id.
fn write(keys: &MemoryStore, state: &str) {
    let record = (SECRET, KeyRecord::bare("key", state));
    keys.set_keys(std::iter::once((KeyId::new("key").unwrap(), vec![record])));
}

/// Returns the state that a lookup answers with. `None` if it refuses.
fn found(replica: &SharedReplica) -> Option<String> {
    let answer = replica.find(&SECRET, |keys| keys.find_now(&SECRET)).into_now().ok()?.ok()?;
    Some(answer.expect("the key is always there").account().id().to_string())
}

/// The state with the number N is replaced after 3 N seconds.
#[test]
fn no_answer_is_older_than_the_staleness() {
    explore("a replica while time passes", || {
        let clock = ManualClock::default();
        clock.advance(3 * SECOND);
        let (replica, state) = (replica(&clock), Arc::new(AtomicU64::new(1)));
        let following = {
            let (replica, state) = (Arc::clone(&replica), Arc::clone(&state));
            thread::spawn(move || {
                for _ in 0..3 {
                    let proof = replica.freshness.ask();
                    let state = state.load(Ordering::SeqCst);
                    write(&replica.keys, &format!("{state}"));
                    replica.freshness.prove(proof);
                }
            })
        };
        let changing = {
            let clock = clock.clone();
            thread::spawn(move || {
                for next in 2..5 {
                    state.store(next, Ordering::SeqCst);
                    clock.advance(3 * SECOND);
                    thread::yield_now();
                }
            })
        };
        for _ in 0..4 {
            let began = clock.steady();
            if let Some(state) = found(&replica) {
                let replaced = 3 * SECOND * state.parse::<u32>().unwrap();
                let is_young = state == "4" || began < replaced + STALENESS;
                assert!(is_young, "state {state} was answered at {began:?}");
            }
        }
        following.join().unwrap();
        changing.join().unwrap();
    });
}

#[test]
fn records_that_replace_others_count_by_their_own_proof() {
    explore("a replica that adopts an older copy", || {
        let clock = ManualClock::default();
        let replica = replica(&clock);
        clock.advance(10 * SECOND);
        write(&replica.keys, "former");
        replica.freshness.prove(replica.freshness.ask());
        let copy = MemoryStore::new();
        write(&copy, "standby");
        // A standby answered which is four seconds behind.
        let proof = replica.freshness.ask().behind(4 * SECOND);
        let adopting = {
            let replica = Arc::clone(&replica);
            thread::spawn(move || drop(replica.adopt(copy, proof)))
        };
        let passing = {
            let clock = clock.clone();
            thread::spawn(move || {
                clock.advance(SECOND);
                thread::yield_now();
            })
        };
        let mut adopted = false;
        for _ in 0..3 {
            let began = clock.steady();
            match found(&replica).as_deref() {
                Some("standby") => {
                    assert!(began < 11 * SECOND, "answered at {began:?}");
                    adopted = true;
                }
                Some(_) => assert!(!adopted, "the former records came back"),
                None => {}
            }
        }
        adopting.join().unwrap();
        passing.join().unwrap();
        assert_eq!(found(&replica), None);
    });
}

#[test]
fn a_secret_that_moves_is_always_found() {
    explore("a secret that moves between keys with two secrets", || {
        let clock = ManualClock::default();
        let replica = replica(&clock);
        write(&replica.keys, "acme");
        replica.freshness.prove(replica.freshness.ask());
        let moving = {
            let replica = Arc::clone(&replica);
            thread::spawn(move || {
                for (round, name) in ["other", "key", "third"].into_iter().enumerate() {
                    let second = KeyDigest::from_bytes([u8::try_from(round).unwrap(); 32]);
                    let secrets =
                        [SECRET, second].map(|digest| (digest, KeyRecord::bare(name, name)));
                    replica
                        .keys
                        .set_keys(std::iter::once((KeyId::new(name).unwrap(), secrets.to_vec())));
                }
            })
        };
        for _ in 0..4 {
            assert!(found(&replica).is_some());
        }
        moving.join().unwrap();
        assert_eq!(found(&replica).as_deref(), Some("third"));
    });
}
