//! Readers and writers of one store, in many random orders of their steps. The table and the pages are so
//! small that a few changes make the table grow and the pages be compacted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::thread;

use super::MemoryStore;
use crate::key::{Account, KeyDigest, KeyRecord, SharedRecord};
use crate::sync::{AtomicBool, explore};

/// Returns a digest. The search for each of them begins at the same slot.
const fn digest(last: u8) -> KeyDigest {
    let mut bytes = [7; 32];
    bytes[31] = last;
    KeyDigest::from_bytes(bytes)
}

fn record(id: &str) -> KeyRecord {
    KeyRecord::bare(id, "acme")
}

fn found(store: &MemoryStore, digest: KeyDigest) -> Option<SharedRecord> {
    store.0.table.load().find(&digest)
}

#[test]
fn readers_never_miss_a_key_while_the_table_is_swapped() {
    explore("a key while others are added, changed and deleted", || {
        let store = MemoryStore::new();
        store.add_now(digest(1), record("key"));
        let readers = [(); 2].map(|()| {
            let store = store.clone();
            thread::spawn(move || {
                for _ in 0..3 {
                    assert_eq!(
                        found(&store, digest(1)).expect("the key is always there").id(),
                        "key"
                    );
                }
            })
        });
        for round in 2..6 {
            store.add_now(digest(round), record(&format!("key_{round}")));
            store.add_now(digest(1), record("key"));
        }
        assert!(store.delete_now("key_2"));
        store.save_account_now(Account::builder("acme").build().unwrap());
        readers.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(found(&store, digest(2)).is_none() && found(&store, digest(5)).is_some());
    });
}

#[test]
fn a_revocation_holds_for_every_request_that_starts_after_it() {
    explore("a revocation", || {
        let store = MemoryStore::new();
        let revoked = Arc::new(AtomicBool::new(false));
        store.add_now(digest(1), record("key"));
        store.add_now(digest(2), record("other"));
        let readers = [(); 2].map(|()| {
            let (store, revoked) = (store.clone(), Arc::clone(&revoked));
            thread::spawn(move || {
                let mut seen = false;
                for _ in 0..3 {
                    let after = revoked.load(Ordering::SeqCst);
                    let now =
                        found(&store, digest(1)).expect("the key is always there").is_revoked();
                    assert!(now || !(after || seen), "a revoked key passes");
                    seen |= now;
                }
            })
        });
        let writer = {
            let store = store.clone();
            thread::spawn(move || {
                for round in 3..6 {
                    store.add_now(digest(round), record(&format!("key_{round}")));
                }
            })
        };
        assert_eq!(store.update_now("key", |key| key.revoked(true)), Ok(true));
        revoked.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|thread| thread.join().unwrap());
        writer.join().unwrap();
        assert!(found(&store, digest(1)).unwrap().is_revoked());
    });
}

#[test]
fn a_new_secret_is_found_before_the_old_one_is_removed() {
    explore("a secret that is replaced", || {
        let store = MemoryStore::new();
        store.add_now(digest(1), record("key"));
        let reader = {
            let store = store.clone();
            thread::spawn(move || {
                for _ in 0..3 {
                    // The old secret first: when it is gone, the new one must be there.
                    let old = found(&store, digest(1)).is_some();
                    assert!(old || found(&store, digest(2)).is_some(), "neither is found");
                }
            })
        };
        store.add_now(digest(2), record("key"));
        assert!(found(&store, digest(1)).is_none());
        reader.join().unwrap();
    });
}

#[test]
fn no_change_of_simultaneous_writers_is_lost() {
    explore("three writers", || {
        let store = MemoryStore::new();
        let writers = [1, 2, 3].map(|writer| {
            let store = store.clone();
            thread::spawn(move || {
                let ids = [writer, writer + 10].map(|number| format!("key_{number}"));
                store.add_now(digest(writer), record(&ids[0]));
                store.add_now(digest(writer + 10), record(&ids[1]));
                assert!(store.delete_now(&ids[0]) && found(&store, digest(writer)).is_none());
            })
        });
        writers.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((store.len(), store.records("acme").len()), (3, 3));
        assert!([11, 12, 13].into_iter().all(|kept| found(&store, digest(kept)).is_some()));
    });
}
