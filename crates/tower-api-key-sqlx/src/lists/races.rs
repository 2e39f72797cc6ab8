//! Tests that a list misses no key that changes while the list is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::SqlStore;
use crate::on_both::on_both;
use crate::watched_pool::{WatchedPool, WatchedStep, Watcher};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::store::{KeyFilter, KeyManager, KeyOrder, KeyState, NewKey};

/// Another program that changes a key right before a statement.
#[derive(Clone)]
struct Meanwhile {
    other: SqlStore,
    /// The environment and the kind that it gives the key.
    gives: [&'static str; 2],
    /// The statement before which it does, from 0, and how many were run.
    before: usize,
    statements: Arc<AtomicUsize>,
}

impl Watcher for Meanwhile {
    async fn at(&self, step: WatchedStep) {
        let Self { other, gives: [environment, kind], before, statements } = self;
        if step == WatchedStep::Fetch && statements.fetch_add(1, Ordering::SeqCst) == *before {
            let (environment, kind) = (*environment, *kind);
            let change =
                Box::new(move |key: KeyRecordBuilder| key.environment(environment).kind(kind));
            other.update("key_00", change, "test").await.unwrap();
        }
    }
}

fn key(number: usize) -> NewKey {
    let account = Account::builder("acme").build().unwrap();
    let record = KeyRecord::builder(format!("key_{number:02}"), account);
    let record = record
        .environment("live")
        .kind("person")
        .expires(Timestamp::from_unix_seconds(9_000_000_000));
    NewKey::new(KeyHasher::sha256().digest(&[number as u8]), record.build().unwrap())
}

/// Each list begins while the first key is live and a person's, and the key changes before one of its statements.
async fn a_key_that_changes_meanwhile_is_in_the_list(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    store.import((0..3).map(key).collect(), "test").await.unwrap();
    let mut names = (0..).map(|number| &*format!("new_{number}").leak());
    for (filter, of_new) in [
        (KeyFilter { state: Some(KeyState::Active), ..KeyFilter::default() }, [true, true]),
        (KeyFilter { environment: Some("live".into()), ..KeyFilter::default() }, [false, true]),
        (KeyFilter { kind: Some("person".into()), ..KeyFilter::default() }, [true, false]),
    ] {
        for order in [KeyOrder::Id, KeyOrder::Name, KeyOrder::Expiry] {
            let filter = KeyFilter { order, ..filter.clone() };
            for before in 0.. {
                let same = ["live", "person"];
                let change = move |key: KeyRecordBuilder| key.environment(same[0]).kind(same[1]);
                store.update("key_00", Box::new(change), "test").await.unwrap();
                let name = names.next().unwrap();
                let gives = [0, 1].map(|place| if of_new[place] { name } else { same[place] });
                let statements = Arc::new(AtomicUsize::new(0));
                let meanwhile = Meanwhile {
                    other: store.clone(),
                    gives,
                    before,
                    statements: statements.clone(),
                };
                let mut racing = store.clone();
                WatchedPool::put_into(&mut racing, meanwhile);
                let listed = racing.list(&filter, None, 10).await.unwrap();
                assert_eq!(listed.len(), 3, "{filter:?}, changed before statement {before}");
                if statements.load(Ordering::SeqCst) <= before {
                    break;
                }
            }
        }
    }
}

on_both!(
    a_key_that_changes_meanwhile_is_in_the_list,
    a_key_that_changes_meanwhile_is_in_the_list_of_postgres,
    a_key_that_changes_meanwhile_is_in_the_list_of_sqlite
);
