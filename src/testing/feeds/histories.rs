//! Promises on positions, and on changes that others make meanwhile.

use std::sync::Arc;

use super::managed::ManagedFeed;
use super::reader::{FeedReader, PageCursor, changes_since};
use super::support::{BY, FUTURE, add, digest, done, import, save};
use crate::key::KeyDigest;
use crate::store::{FeedAnswer, FeedPosition};
use crate::testing::fresh::{Fresh, Maker, subject};

/// The number of keys that the tests change.
const KEYS: usize = 40;

fn key(number: usize) -> String {
    format!("key_{number}")
}

/// Returns all secrets that the changes below make.
fn secrets() -> Vec<KeyDigest> {
    let first = (0..KEYS).map(|number| digest(&key(number)));
    let second = (0..KEYS).map(|number| digest(&format!("second of {number}")));
    let imported = (0..2 * KEYS).map(|number| digest(&format!("late_{number}")));
    first.chain(second).chain(imported).collect()
}

/// Makes the change with a number.
async fn change(store: &dyn ManagedFeed, number: usize) {
    match number % 5 {
        0 => done(store.revoke(&key(number), BY).await, "revoking a key"),
        1 => done(store.delete(&key(number), BY).await, "deleting a key"),
        2 => {
            let secret = digest(&format!("second of {number}"));
            done(store.rotate(&key(number), secret, FUTURE, BY).await, "rotating a key");
        }
        3 => save(store, "acme", |account| account.scopes([format!("scope.{number}")])).await,
        _ => {
            done(store.delete(&key(number), BY).await, "deleting a key");
            add(store, &key(number), "other").await;
        }
    }
}

async fn prepare(store: &dyn ManagedFeed) {
    for number in 0..KEYS {
        add(store, &key(number), "acme").await;
    }
}

pub(super) async fn changes_while_pages_are_read_are_not_lost(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    prepare(store).await;
    // Enough for several pages.
    import(store, "late", 2 * KEYS).await;
    let mut reader = FeedReader::begin(store).await;
    let mut at = PageCursor::new(reader.position);
    let mut number = 0;
    loop {
        for _ in 0..KEYS / 2 {
            if number < KEYS {
                change(store, number).await;
                number += 1;
            }
        }
        if !reader.read_page(store, &mut at).await {
            break;
        }
    }
    while number < KEYS {
        change(store, number).await;
        number += 1;
    }
    reader.follow(store).await;
    reader.is_like(store, &secrets(), "after changes before and after each page").await;
}

pub(super) async fn changes_are_reported_since_any_position(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    prepare(store).await;
    let mut readers = vec![FeedReader::whole(store).await];
    for number in 0..KEYS {
        change(store, number).await;
        if let Some(mut reader) = readers.last().cloned() {
            reader.follow(store).await;
            readers.push(reader);
        }
    }
    for (behind, mut reader) in readers.into_iter().rev().enumerate() {
        reader.follow(store).await;
        let when = format!("for a reader that was {behind} changes behind");
        reader.is_like(store, &secrets(), &when).await;
    }
}

pub(super) async fn another_history_is_told_apart(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    add(store, "one", "acme").await;
    add(store, "two", "acme").await;
    let position = done(store.position().await, "asking for the position");
    let FeedPosition { sequence, mark } = position;
    let others = [
        FeedPosition { sequence, mark: mark ^ 1 },
        FeedPosition { sequence, mark: !mark },
        FeedPosition { sequence: sequence + 1, mark },
        FeedPosition { sequence: sequence + 1_000_000, mark },
    ];
    for other in others {
        for since in [position, other] {
            let changes = store.changes_after(since, other).await;
            let changes = done(changes, "asking for changes");
            assert!(
                matches!(changes, FeedAnswer::Diverged),
                "changes since {since:?}, with {other:?} of another history seen: {changes:?}"
            );
        }
        let page = done(store.keys_after(other, None).await, "reading a page");
        assert!(
            matches!(page, FeedAnswer::Diverged),
            "a page at {other:?} of another history: {page:?}"
        );
    }
    let made = make.fresh(()).await;
    let store = subject(&*made);
    add(store, "one", "acme").await;
    add(store, "three", "acme").await;
    if done(store.position().await, "asking for the position").sequence == sequence {
        let changes = done(store.changes_after(position, position).await, "asking for changes");
        assert!(
            matches!(changes, FeedAnswer::Diverged),
            "two stores have the same mark, {mark}, for different changes"
        );
    }
}

pub(super) async fn nothing_is_missed_while_others_write(make: &Maker<dyn ManagedFeed>) {
    let made: Arc<dyn Fresh<dyn ManagedFeed>> = make.fresh(()).await;
    let store = subject(&*made);
    prepare(store).await;
    let mut reader = FeedReader::whole(store).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let made = Arc::clone(&made);
            tokio::spawn(async move {
                let store = subject(&*made);
                for number in (0..KEYS).filter(|number| number % 4 == writer) {
                    change(store, number).await;
                    if number / 4 == 5 {
                        let keys =
                            (0..KEYS / 2).map(|late| format!("late_{}", writer * KEYS / 2 + late));
                        let keys = keys.map(|id| super::support::new_key(&id, "imported"));
                        done(store.import(keys.collect(), BY).await, "importing keys");
                    }
                }
            })
        })
        .collect();
    let mut last = reader.position;
    while writers.iter().any(|writer| !writer.is_finished()) {
        reader.follow(store).await;
        assert!(reader.position.sequence >= last.sequence, "a position went back");
        last = reader.position;
        tokio::task::yield_now().await;
    }
    for writer in writers {
        done(writer.await, "a writer");
    }
    reader.follow(store).await;
    reader.is_like(store, &secrets(), "after four writers at once").await;
    let again = changes_since(store, reader.position, reader.position).await;
    assert!(again.changes.is_empty(), "changes are reported twice: {again:?}");
    assert_eq!(again.latest, reader.position, "the latest position of a quiet store");
}
