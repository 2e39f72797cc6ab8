//! What a full cache keeps, and what a record takes in memory.

use std::sync::Arc;

use allocation_counter::measure;
use tower_api_key::Reply;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, SharedRecord};
use tower_api_key::store::{Cached, KeyStore, StoreError};

use crate::SECOND;

/// A store in which every secret is known. All have the same record, so that what a cache takes is the cache's own.
struct Everyone(SharedRecord);

impl Everyone {
    fn new() -> Self {
        let account = Arc::new(Account::builder("acme").build().unwrap());
        Self(KeyRecord::builder("key_1", account).build().unwrap().into())
    }
}

impl KeyStore for Everyone {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Ok(Some(self.0.clone())))
    }
}

fn cache(capacity: usize) -> Cached<Everyone> {
    let cache = Cached::builder(Everyone::new()).capacity(capacity, 100);
    cache.staleness(1_000 * SECOND).build()
}

fn secret(number: usize) -> KeyDigest {
    KeyHasher::sha256().digest(&number.to_le_bytes())
}

/// Asks as a gate does. Returns true if the cache answered from memory.
async fn hits(cache: &Cached<Everyone>, number: usize) -> bool {
    let mut asking = Box::pin(cache.find(&secret(number)));
    let mut is_hit = true;
    let found = std::future::poll_fn(|context| {
        let poll = asking.as_mut().poll(context);
        is_hit &= poll.is_ready();
        poll
    });
    assert!(found.await.unwrap().is_some());
    is_hit
}

#[tokio::test]
async fn keys_that_are_used_once_push_out_none_that_is_used_again_and_again() {
    const CAPACITY: usize = 4_000;
    const HOT: usize = CAPACITY / 2;
    let cache = cache(CAPACITY);
    for _ in 0..2 {
        for number in 0..HOT {
            hits(&cache, number).await;
        }
    }
    let mut missed = 0;
    for number in 0..10 * CAPACITY {
        hits(&cache, 1_000_000 + number).await;
        if number % 10 == 0 {
            missed += usize::from(!hits(&cache, number / 10 % HOT).await);
        }
    }
    assert_eq!(missed, 0);
    assert_eq!(cache.len(), CAPACITY);
}

/// Besides, a cache has eight bytes for each account whose records it may have.
#[test]
fn a_record_takes_at_most_220_bytes() {
    const RECORDS: usize = 50_000;
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().unwrap();
    let cache = cache(RECORDS);
    let took = measure(|| {
        runtime.block_on(async {
            for number in 0..RECORDS {
                hits(&cache, number).await;
            }
        });
    });
    let records = i64::try_from(cache.len()).unwrap();
    let bytes = took.bytes_current / records;
    println!("{bytes} bytes for each of {records} records");
    assert!(bytes <= 220, "{bytes} bytes");
}
