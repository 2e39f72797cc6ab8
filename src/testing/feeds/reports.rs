//! Promises on what a feed reports of each change.

use super::managed::ManagedFeed;
use super::reader::{FeedReader, PageCursor, changes_since};
use super::support::{BY, FUTURE, add, digest, done, import, save};
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyRecord};
use crate::store::NewKey;
use crate::testing::fresh::{Maker, subject};

fn digests(secrets: &[&str]) -> Vec<KeyDigest> {
    secrets.iter().map(|secret| digest(secret)).collect()
}

pub(super) async fn a_new_store_can_be_read(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    let mut reader = FeedReader::whole(store).await;
    reader.is_like(store, &[], "of an empty store").await;
    add(store, "first", "acme").await;
    reader.follow(store).await;
    reader.is_like(store, &digests(&["first"]), "after the first change").await;
}

pub(super) async fn pages_hold_every_secret(make: &Maker<dyn ManagedFeed>) {
    const KEYS: usize = 1_000;
    let made = make.fresh(()).await;
    let store = subject(&*made);
    import(store, "paged", KEYS).await;
    let mut secrets: Vec<KeyDigest> =
        (0..KEYS).map(|key| digest(&format!("paged_{key}"))).collect();
    for key in 0..50 {
        let secret = digest(&format!("second of {key}"));
        let rotated = store.rotate(&format!("paged_{key}"), secret, FUTURE, BY).await;
        done(rotated, "rotating a key");
        secrets.push(secret);
    }
    let mut reader = FeedReader::begin(store).await;
    let mut at = PageCursor::new(reader.position);
    while reader.read_page(store, &mut at).await {}
    reader.is_like(store, &secrets, "after all pages of a store without changes").await;
}

pub(super) async fn pages_of_an_account_hold_its_secrets(make: &Maker<dyn ManagedFeed>) {
    const KEYS: usize = 100;
    let made = make.fresh(()).await;
    let store = subject(&*made);
    import(store, "paged", KEYS).await;
    add(store, "other", "acme").await;
    let mut reader = FeedReader::begin(store).await;
    let mut at = PageCursor::new(reader.position);
    while reader.read_page_of(store, "imported", &mut at).await {}
    let is_of_account = |record: &KeyRecord| *record.account().id() == *"imported";
    reader.records.retain(|_, record| is_of_account(record));
    let secrets: Vec<_> = (0..KEYS).map(|key| digest(&format!("paged_{key}"))).collect();
    reader.is_like(store, &secrets, "after all pages of an account").await;
}

/// Makes one change of each kind, and follows each.
pub(super) async fn every_change_is_reported(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    let mut reader = FeedReader::whole(store).await;
    let mut secrets =
        digests(&["one", "two", "three", "of import_0", "of import_1", "new", "newer"]);
    secrets.extend((0..3).map(|key| digest(&format!("imported_{key}"))));
    for step in 0.. {
        let what = match step {
            0 => {
                add(store, "one", "acme").await;
                "adding a key"
            }
            1 => {
                add(store, "two", "acme").await;
                add(store, "three", "acme").await;
                "adding two keys"
            }
            2 => {
                let change = Box::new(|key: crate::key::KeyRecordBuilder| key.scopes(["read"]));
                done(store.update("one", change, BY).await, "updating a key");
                "updating a key"
            }
            3 => {
                let rotated = store.rotate("one", digest("new"), FUTURE, BY).await;
                done(rotated, "rotating a key");
                "rotating a key"
            }
            4 => {
                let past = Timestamp::from_unix_seconds(1_000_000);
                let rotated = store.rotate("one", digest("newer"), past, BY).await;
                done(rotated, "rotating a key");
                "rotating a key whose old secrets end at once"
            }
            5 => {
                done(store.revoke("two", BY).await, "revoking a key");
                "revoking a key"
            }
            6 => {
                done(store.delete("one", BY).await, "deleting a key");
                "deleting a key with three secrets"
            }
            7 => {
                import(store, "imported", 3).await;
                "importing keys"
            }
            8 => {
                add(store, "one", "other").await;
                "adding a deleted key under another account"
            }
            9 => {
                done(store.delete("imported_0", BY).await, "deleting a key");
                let NewKey { record, .. } = super::support::new_key("moved", "acme");
                let moved = NewKey::new(digest("imported_0"), record);
                done(store.add(moved, BY).await, "adding a key");
                "adding a key with the secret of a deleted one"
            }
            10 => {
                done(
                    store.add(super::support::new_key("new", "acme").revoking_others(), BY).await,
                    "adding a key",
                );
                "adding a key that revokes others"
            }
            _ => break,
        };
        let before = reader.position;
        reader.follow(store).await;
        reader.is_like(store, &secrets, &format!("after {what}")).await;
        assert_ne!(reader.position, before, "the position after {what}");
        let position = done(store.position().await, "asking for the position");
        assert_eq!(position, reader.position, "the position of the store after {what}");
    }
}

pub(super) async fn accounts_are_followed(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    let secrets = digests(&["one", "two", "other", "second", "anew"]);
    add(store, "one", "acme").await;
    add(store, "two", "acme").await;
    add(store, "other", "other").await;
    done(store.rotate("one", digest("second"), FUTURE, BY).await, "rotating a key");
    let mut reader = FeedReader::whole(store).await;
    save(store, "acme", |account| account.scopes(["read"])).await;
    reader.follow(store).await;
    reader.is_like(store, &secrets, "after saving an account").await;
    save(store, "acme", |account| account.disabled(true)).await;
    save(store, "unused", |account| account.scopes(["read"])).await;
    reader.follow(store).await;
    reader.is_like(store, &secrets, "after disabling an account").await;
    let before = reader.clone();
    done(store.delete_account("acme", BY).await, "deleting an account");
    reader.follow(store).await;
    reader.is_like(store, &secrets, "after deleting an account").await;
    save(store, "acme", |account| account.scopes(["write"])).await;
    add(store, "anew", "acme").await;
    add(store, "two", "acme").await;
    reader.follow(store).await;
    reader.is_like(store, &secrets, "after an account was made anew").await;
    let mut late = before;
    late.follow(store).await;
    let when = "for a reader that asks after an account was deleted and made anew";
    late.is_like(store, &secrets, when).await;
}

pub(super) async fn without_changes_the_position_stays(make: &Maker<dyn ManagedFeed>) {
    let made = make.fresh(()).await;
    let store = subject(&*made);
    import(store, "quiet", 100).await;
    let mut reader = FeedReader::whole(store).await;
    for _ in 0..3 {
        let answer = changes_since(store, reader.position, reader.position).await;
        assert!(answer.changes.is_empty() && !answer.more, "a quiet store has changes: {answer:?}");
        assert_eq!(answer.position, reader.position, "the position of a quiet store");
        let uses = vec![(digest("quiet_0"), FUTURE)];
        done(store.note_uses(uses).await, "recording a use");
        reader.follow(store).await;
    }
}
