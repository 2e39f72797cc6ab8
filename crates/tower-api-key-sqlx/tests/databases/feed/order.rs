//! Changes are read in the order in which they become visible, and none is missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{PgPool, Row};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyFeed, KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

/// A small generator, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn key_of(id: &str, account: &str, text: &str) -> NewKey {
    let account = Account::builder(account).scopes(["read"]).build().unwrap();
    NewKey::new(digest(text), KeyRecord::builder(id, account).build().unwrap())
}

/// Makes one change of any kind. Some are refused, because there is no such key.
async fn change(store: &SqlStore, dice: &mut Dice, who: &str) {
    let (id, account) = (format!("key_{}", dice.below(12)), format!("account_{}", dice.below(4)));
    let text = format!("{who}-{}", dice.below(u64::MAX));
    let far = Timestamp::from_unix_seconds(4_000_000_000);
    let _ = match dice.below(9) {
        0..3 => store.add(key_of(&id, &account, &text), who).await,
        3 => store.delete(&id, who).await,
        4 => store.revoke(&id, who).await,
        5 => store.rotate(&id, digest(&text), far, who).await.map(drop),
        6 => store.update(&id, Box::new(|key| key.name("renamed")), who).await.map(drop),
        7 => {
            let plan = format!("plan_{}", dice.below(3));
            let account = Account::builder(&account).scopes(["read"]).plan(plan);
            store.save_account(account.build().unwrap(), who).await
        }
        _ => store.delete_account(&account, who).await,
    };
}

async fn follows_everything(store: &SqlStore) {
    let mut copy = StoreCopy::of(store).await.unwrap();
    let mut dice = Dice(7);
    for round in 0..150 {
        for _ in 0..dice.below(6) {
            change(store, &mut dice, "ada").await;
        }
        assert!(copy.follow(store).await, "round {round}");
        let expected = all(store).await;
        assert_eq!(copy.secrets, expected, "round {round}");
        if round % 30 == 0 {
            assert_eq!(StoreCopy::of(store).await.unwrap().secrets, expected, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_copy_follows_every_change_in_sqlite() {
    let folder = Folder::new();
    follows_everything(&SqlStore::connect(&sqlite(&folder)).await.unwrap()).await;
}

#[tokio::test]
async fn a_copy_follows_every_change_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    follows_everything(&SqlStore::connect(server.url()).await.unwrap()).await;
}

/// Four processes write at once, and a reader follows them.
async fn follows_writers(url: &str, changes: u64) {
    let reader = SqlStore::connect(url).await.unwrap();
    // In an empty trail, a number that is given out and not committed yet looks like one that was deleted.
    reader.add(key("first"), "test").await.unwrap();
    let mut copy = StoreCopy::of(&reader).await.unwrap();
    let writers = (0..4u64).map(|number| {
        let url = url.to_owned();
        tokio::spawn(async move {
            let (store, mut dice) = (SqlStore::connect(&url).await.unwrap(), Dice(number));
            for _ in 0..changes {
                change(&store, &mut dice, &format!("writer-{number}")).await;
            }
            store.close().await;
        })
    });
    let writers: Vec<_> = writers.collect();
    let done = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&done);
    tokio::spawn(async move {
        for writer in writers {
            writer.await.unwrap();
        }
        ended.store(true, Ordering::SeqCst);
    });
    let (mut asked, mut seen) = (0, copy.position.sequence);
    let mut steps = 0;
    loop {
        let was_done = done.load(Ordering::SeqCst);
        assert!(copy.follow(&reader).await);
        asked += 1;
        steps += usize::from(copy.position.sequence > seen);
        seen = copy.position.sequence;
        if was_done {
            break;
        }
    }
    assert!(steps > 5, "{asked} questions, {steps} with changes");
    assert_eq!(copy.secrets, all(&reader).await);
    // What the trail lists is what the reader has passed.
    assert_eq!(reader.changes(0, usize::MAX).await.unwrap().last().unwrap().sequence, seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_follows_several_writers_of_sqlite() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    SqlStore::connect(&url).await.unwrap();
    follows_writers(&url, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_follows_several_writers_of_postgres() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap();
    follows_writers(server.url(), 150).await;
}

/// A change that took its number first is committed first, even if its transaction takes long, and even if a line
/// was written by hand without the lock.
#[tokio::test]
async fn a_slow_change_keeps_later_ones_waiting() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    store.add(key("first"), "test").await.unwrap();
    let mut copy = StoreCopy::of(&store).await.unwrap();
    let pool = PgPool::connect(server.url()).await.unwrap();
    let mut slow = pool.begin().await.unwrap();
    let by_hand = "INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
         VALUES (1, 'by hand', 'key_updated', 'first', 'acme') RETURNING sequence";
    let number: i64 = sqlx::query(by_hand).fetch_one(&mut *slow).await.unwrap().get(0);
    let other = store.clone();
    let waiting = tokio::spawn(async move { other.add(key("second"), "test").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "the writer waits for the slow change");
    assert!(copy.follow(&store).await);
    assert!(copy.position.sequence.cast_signed() < number, "the reader has not passed it");
    slow.commit().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(copy.follow(&store).await);
    assert!(copy.position.sequence.cast_signed() > number);
    assert_eq!(copy.secrets, all(&store).await);
}

/// A reader begins while another process imports.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_begins_in_the_middle_of_an_import() {
    const KEYS: usize = 6_000;
    let Some(server) = Postgres::start() else { return };
    let folder = Folder::new();
    for url in [server.url().to_owned(), sqlite(&folder)] {
        let writer = SqlStore::connect(&url).await.unwrap();
        let reader = SqlStore::connect(&url).await.unwrap();
        let importing = tokio::spawn(async move {
            for start in (0..KEYS).step_by(500) {
                let keys = (start..start + 500).map(|number| key(&format!("key_{number}")));
                writer.import(keys.collect(), "test").await.unwrap();
            }
        });
        while reader.position().await.unwrap().sequence < 1_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut copy = StoreCopy::of(&reader).await.unwrap();
        assert!(copy.secrets.len() < KEYS, "the import goes on");
        importing.await.unwrap();
        assert!(copy.follow(&reader).await);
        assert_eq!(copy.secrets.len(), KEYS);
        assert_eq!(copy.secrets, all(&reader).await);
    }
}
