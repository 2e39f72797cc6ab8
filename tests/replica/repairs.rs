//! Keys that could not be read, because their account could not: they count again when the account is saved.

use std::time::Duration;

use tower_api_key::key::Account;
use tower_api_key::store::KeyManager;

use crate::fake::{Fake, Fault};
use crate::support::{BY, Node, SECOND, add};

fn acme() -> Account {
    Account::builder("acme").scopes(["read"]).build().unwrap()
}

/// Returns a node whose account `acme` has keys that cannot be read, and `other` one that can.
async fn broken(store: &Fake, keys: usize) -> Node {
    for number in 0..keys {
        add(store, &format!("key_{number}"), "acme").await;
    }
    add(store, "fine", "other").await;
    store.state().world.break_account("acme");
    let node = Node::ready(store).await;
    assert!(node.refusal("key_0").await.contains("is not valid"));
    node
}

#[tokio::test(start_paused = true)]
async fn a_saved_account_makes_its_unreadable_keys_count_again() {
    for reads_accounts in [true, false] {
        let store = Fake::new();
        store.state().reads_accounts = reads_accounts;
        store.state().most = 7;
        let node = broken(&store, 30).await;
        node.settle().await;
        assert_eq!(
            store.state().pages_of_account,
            0,
            "nothing is read before the account is saved"
        );
        store.save_account(acme(), BY).await.unwrap();
        store.notify();
        node.pass(SECOND).await;
        for number in 0..30 {
            let found = node.find(&format!("key_{number}")).await.unwrap().unwrap();
            assert_eq!(*found.account().as_ref(), acme());
        }
        assert_eq!(store.state().pages_of_account, 5, "pages of seven keys");
        // From now on the account is like others.
        store.save_account(acme(), BY).await.unwrap();
        node.settle().await;
        assert_eq!(store.state().pages_of_account, 5);
    }
}

/// The account was broken while the replica followed.
#[tokio::test(start_paused = true)]
async fn only_keys_of_the_saved_account_are_read_again() {
    let store = Fake::new();
    let node = broken(&store, 3).await;
    add(&store, "later", "acme").await;
    node.settle().await;
    assert!(node.refusal("later").await.contains("is not valid"));
    for name in ["other", "new"] {
        store.save_account(Account::builder(name).build().unwrap(), BY).await.unwrap();
        node.settle().await;
    }
    assert_eq!(store.state().pages_of_account, 0);
    store.save_account(acme(), BY).await.unwrap();
    node.settle().await;
    assert_eq!(node.id("later").await.as_deref(), Some("later"));
    // A key whose own row is broken stays so, and only the next change of the account asks again.
    store.state().world.set_broken("later", true);
    node.settle().await;
    store.save_account(acme(), BY).await.unwrap();
    node.pass(20 * SECOND).await;
    assert_eq!(store.state().pages_of_account, 2);
    assert!(node.refusal("later").await.contains("is not valid"));
}

/// Each page takes a second, and all pages take far longer than the staleness.
#[tokio::test(start_paused = true)]
async fn the_store_is_followed_while_keys_are_read_again() {
    let store = Fake::new();
    let node = broken(&store, 20).await;
    {
        let mut state = store.state();
        state.most = 1;
        state.delay = SECOND;
    }
    store.save_account(acme(), BY).await.unwrap();
    for second in 0..60 {
        node.pass(SECOND).await;
        let found = node.find("fine").await.expect("the records are proven all the time").unwrap();
        // A page, and the question for changes behind it.
        if second <= 10 || second >= 14 {
            assert_eq!(found.is_revoked(), second >= 14, "after {second} s");
        }
        if second == 10 {
            store.revoke("fine", BY).await.unwrap();
        }
    }
    assert!(node.id("key_19").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn pages_that_hang_take_a_tenth_of_the_time() {
    let store = Fake::new();
    let node = broken(&store, 3).await;
    store.save_account(acme(), BY).await.unwrap();
    store.state().hangs_of_account = true;
    for _ in 0..200 {
        node.pass(SECOND).await;
        assert!(node.find("fine").await.is_ok(), "the records are proven all the time");
    }
    assert!((2..=10).contains(&store.state().pages_of_account));
    store.state().hangs_of_account = false;
    node.pass(30 * SECOND).await;
    assert!(node.id("key_0").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_copy_from_the_beginning_reads_what_was_saved_meanwhile() {
    let store = Fake::new();
    let node = broken(&store, 3).await;
    store.state().fault = Fault::Fails;
    store.save_account(acme(), BY).await.unwrap();
    store.state().world.prune();
    node.pass(SECOND).await;
    store.state().heal();
    node.pass(Duration::from_secs(10)).await;
    assert!(node.id("key_0").await.is_some());
    assert_eq!(store.state().pages_of_account, 0);
}
