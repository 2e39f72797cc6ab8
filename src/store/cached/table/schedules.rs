//! Readers and writers of one table, in many random orders of their steps. It has room for so few entries that some
//! leave.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::thread;

use super::CacheTable;
use super::tests::Numbered;
use crate::sync::{AtomicU64, explore};

#[test]
fn an_entry_is_the_latest_one_of_its_digest_or_gone() {
    explore("a table that is full, while entries come, go and are asked for", || {
        let (table, latest) = (Arc::new(CacheTable::new(2)), Arc::new(AtomicU64::new(1)));
        let digest = Numbered::of(0);
        table.insert(Numbered { digest, number: 1 });
        let reader = {
            let (table, latest) = (Arc::clone(&table), Arc::clone(&latest));
            thread::spawn(move || {
                for _ in 0..3 {
                    let before = latest.load(Ordering::SeqCst);
                    if let Some(found) = table.find(&digest) {
                        assert!(found.digest == digest && found.number >= before, "an old entry");
                    }
                }
            })
        };
        let others = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                for number in 10..14 {
                    table.insert(Numbered { digest: Numbered::of(number), number });
                    table.find(&Numbered::of(number - 1));
                    assert!(table.len() <= 2, "more than it may have");
                }
                table.remove(&Numbered::of(13));
                assert!(table.find(&Numbered::of(13)).is_none(), "it was removed");
            })
        };
        for number in 2..4 {
            table.insert(Numbered { digest, number });
            latest.store(number, Ordering::SeqCst);
        }
        [reader, others].into_iter().for_each(|thread| thread.join().unwrap());
        table.insert(Numbered { digest, number: 4 });
        assert_eq!(table.find(&digest).map(|found| found.number), Some(4));
        table.remove(&digest);
        assert!(table.find(&digest).is_none());
    });
}
