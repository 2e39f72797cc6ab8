//! The most keys of an account.

use std::sync::Arc;
use std::thread;

use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::store::KeyManager;

use crate::manager::{Manager, day, key, new};

#[tokio::test]
async fn an_account_has_no_more_keys_than_a_policy_allows() {
    let manager = Manager::new();
    manager.set("all", |it| it.most_keys(2)).await;
    assert_eq!(manager.add(key("one")).await, "");
    assert_eq!(manager.add(key("two").disabled(true).not_before(day(9))).await, "");
    assert_eq!(manager.add(key("three")).await, "keys");
    let other = Account::builder("other").build().unwrap();
    assert_eq!(manager.add(KeyRecord::builder("theirs", other)).await, "", "each account alone");

    // A key that does not count cannot begin to.
    assert_eq!(manager.add(key("expired").expires(day(0))).await, "");
    assert_eq!(manager.edit("expired", |it| it.expires(day(1))).await, "keys");
    assert_eq!(manager.edit("expired", KeyRecordBuilder::never_expires).await, "keys");
    assert_eq!(manager.edit("expired", |it| it.name("old")).await, "");
    // A key that counts can be changed.
    assert_eq!(manager.edit("two", |it| it.disabled(false).kind("service")).await, "");
    manager.store.revoke("one", "ada").await.unwrap();
    assert_eq!(manager.edit("expired", KeyRecordBuilder::never_expires).await, "");
    assert_eq!(manager.add(key("three")).await, "keys");
}

#[tokio::test]
async fn a_key_of_another_kind_is_counted_where_it_goes() {
    let manager = Manager::new();
    manager.set("kind:personal", |it| it.most_keys(1)).await;
    manager.set("account:acme", |it| it.most_keys(3)).await;
    assert_eq!(manager.add(key("one").kind("personal")).await, "");
    assert_eq!(manager.add(key("two").kind("personal")).await, "keys");
    assert_eq!(manager.add(key("two").kind("service")).await, "");
    assert_eq!(manager.add(key("three")).await, "");
    assert_eq!(manager.add(key("four")).await, "keys");
    for id in ["two", "three"] {
        assert_eq!(manager.edit(id, |it| it.kind("personal")).await, "keys", "{id}");
    }
    assert_eq!(manager.edit("one", |it| it.kind("service")).await, "", "it makes room");
    assert_eq!(manager.edit("two", |it| it.kind("personal")).await, "");
    assert_eq!(manager.edit("one", |it| it.kind("personal")).await, "keys");
}

#[tokio::test]
async fn a_key_that_revokes_the_others_takes_their_place() {
    let manager = Manager::new();
    manager.set("all", |it| it.most_keys(1)).await;
    assert_eq!(manager.add(key("one")).await, "");
    assert_eq!(manager.add(key("two")).await, "keys");
    assert_eq!(manager.replace(key("two")).await, "");
    // Keys of another owner stay, so they are in the way.
    assert_eq!(manager.replace(key("three").owner("ada")).await, "keys");
    assert!(!manager.store.get("two").await.unwrap().unwrap().record.is_revoked());
}

#[tokio::test]
async fn fewer_keys_than_there_are_leave_all_of_them_and_admit_no_other() {
    let manager = Manager::new();
    for id in ["one", "two", "three"] {
        assert_eq!(manager.add(key(id)).await, "");
    }
    manager.set("all", |it| it.most_keys(1)).await;
    assert_eq!(manager.edit("one", |it| it.name("mine").expires(day(9))).await, "");
    for id in ["one", "two"] {
        manager.store.delete(id, "ada").await.unwrap();
        assert_eq!(manager.add(key("four")).await, "keys");
    }
    manager.store.delete("three", "ada").await.unwrap();
    assert_eq!(manager.add(key("four")).await, "");
    manager.set("all", |it| it.most_keys(0)).await;
    manager.store.delete("four", "ada").await.unwrap();
    assert_eq!(manager.add(key("four")).await, "keys");
}

#[tokio::test]
async fn additions_at_once_do_not_exceed_the_most_keys() {
    let manager = Arc::new(Manager::new());
    manager.set("all", |it| it.most_keys(5)).await;
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let keys = (0..20).map(|number| new(key(&format!("key_{thread}_{number}"))));
                let add = |key| runtime.block_on(manager.store.add(key, "ada")).is_ok();
                keys.map(add).filter(|added| *added).count()
            })
        })
        .collect();
    let added: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((added, manager.store.len()), (5, 5));
}
