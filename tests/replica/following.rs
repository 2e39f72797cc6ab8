//! A replica follows its store: each change, each fault, another history.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::key::Account;
use tower_api_key::store::{KeyManager, KeyStore, ManageError};

use crate::fake::{Fake, Fault};
use crate::support::{BY, Node, SECOND, add, digest};

const FUTURE: tower_api_key::clock::Timestamp =
    tower_api_key::clock::Timestamp::from_unix_seconds(4_000_000_000);

#[tokio::test(start_paused = true)]
async fn a_notice_makes_a_change_count_within_milliseconds_and_a_lost_one_within_the_interval() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let node = Node::ready(&store).await;
    node.settle().await;
    store.revoke("one", BY).await.unwrap();
    store.notify();
    tokio::time::sleep(Duration::from_millis(15)).await;
    assert!(node.find("one").await.unwrap().unwrap().is_revoked());
    store.delete("one", BY).await.unwrap();
    for _ in 0..50 {
        store.notify(); // doubled notices
    }
    tokio::time::sleep(Duration::from_millis(15)).await;
    assert_eq!(node.id("one").await, None);
    add(&store, "two", "acme").await;
    tokio::time::sleep(SECOND + Duration::from_millis(10)).await;
    assert!(node.id("two").await.is_some(), "the notice was lost");
}

#[tokio::test(start_paused = true)]
async fn notices_without_end_ask_a_hundred_times_a_second() {
    let store = Fake::new();
    let node = Node::ready(&store).await;
    let before = store.state().calls;
    for _ in 0..1_000 {
        store.notify();
        node.pass(Duration::from_millis(1)).await;
    }
    let calls = store.state().calls - before;
    assert!((50..=110).contains(&calls), "{calls} questions in a second");
}

#[tokio::test(start_paused = true)]
async fn a_change_through_a_replica_counts_when_the_call_returns() {
    let store = Fake::new();
    let node = Node::ready(&store).await;
    let replica = &node.replica;
    add(replica, "one", "acme").await;
    assert_eq!(node.id("one").await.as_deref(), Some("one"));
    replica.rotate("one", digest("second"), FUTURE, BY).await.unwrap();
    assert_eq!(node.id("second").await.as_deref(), Some("one"));
    assert_eq!(node.find("one").await.unwrap().unwrap().expires(), Some(FUTURE));
    let disabled = Account::builder("acme").disabled(true).build().unwrap();
    replica.save_account(disabled, BY).await.unwrap();
    assert!(node.find("second").await.unwrap().unwrap().is_disabled());
    replica.revoke("one", BY).await.unwrap();
    assert!(node.find("one").await.unwrap().unwrap().is_revoked());
    replica.delete_account("acme", BY).await.unwrap();
    assert_eq!((node.id("one").await, node.id("second").await), (None, None));
    assert!(matches!(replica.delete("one", BY).await, Err(ManageError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_applied_in_time_says_so() {
    for fault in [Fault::Fails, Fault::Hangs] {
        let store = Fake::new();
        add(&store, "one", "acme").await;
        let node = Node::ready(&store).await;
        store.state().fault = fault;
        let error = node.replica.revoke("one", BY).await.unwrap_err();
        assert!(matches!(error, ManageError::NotYetApplied(_)), "{error}");
        assert!(store.find(&digest("one")).await.unwrap().unwrap().is_revoked());
        store.state().fault = Fault::None;
        node.pass(4 * SECOND).await;
        assert!(node.find("one").await.unwrap().unwrap().is_revoked());
    }
    // A standby that is behind proves the change only after a while.
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let node = Node::ready(&store).await;
    store.state().behind = SECOND / 2;
    let error = node.replica.revoke("one", BY).await.unwrap_err();
    assert!(matches!(error, ManageError::NotYetApplied(_)), "the clock stands still: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_fails_its_own_lookups_alone() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    add(&store, "two", "acme").await;
    store.rotate("one", digest("second"), FUTURE, BY).await.unwrap();
    store.state().world.set_broken("one", true);
    let node = Node::ready(&store).await;
    for round in 0..2 {
        for secret in ["one", "second"] {
            let refusal = node.refusal(secret).await;
            assert!(refusal.contains("the key `one` is not valid"), "{round}: {refusal}");
        }
        assert!(node.id("two").await.is_some());
        assert_eq!(node.id("unknown").await, None);
        store.state().world.set_broken("one", false);
        node.settle().await;
        assert_eq!(node.id("second").await.as_deref(), Some("one"));
        store.state().world.set_broken("one", true);
        node.settle().await;
    }
    store.delete("one", BY).await.unwrap();
    node.settle().await;
    assert_eq!((node.id("one").await, node.id("second").await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_secret_moves_from_one_key_to_another() {
    let store = Fake::new();
    add(&store, "from", "acme").await;
    add(&store, "to", "other").await;
    let node = Node::ready(&store).await;
    store.rotate("from", digest("moved"), FUTURE, BY).await.unwrap();
    node.settle().await;
    for (from, to) in [("from", "to"), ("to", "from"), ("from", "to")] {
        store.state().world.move_secret(from, to);
        node.settle().await;
        let expected = store.find(&digest("moved")).await.unwrap();
        assert_eq!(node.find("moved").await.unwrap().as_deref(), expected.as_deref());
    }
}

/// The store fails over to a standby that lost its latest changes. The replica forgets them, even those that only
/// records had shown.
#[tokio::test(start_paused = true)]
async fn a_failover_that_loses_changes_is_noticed() {
    let store = Fake::new();
    for key in 0..10 {
        add(&store, &format!("key_{key}"), "acme").await;
    }
    let node = Node::ready(&store).await;
    let standby = store.state().world.clone();
    add(&store, "lost", "acme").await;
    node.settle().await;
    assert!(node.id("lost").await.is_some());
    store.state().world = standby;
    node.settle().await;
    assert_eq!(node.id("lost").await, None);
    assert_eq!(node.replica.len(), 10);
    assert!(node.id("key_3").await.is_some());

    // Answers of one line each: the state of the first answer shows the change that is lost.
    store.state().most = 1;
    let standby = {
        let mut state = store.state();
        let disabled = |disabled| Account::builder("acme").disabled(disabled).build().unwrap();
        state.world.save_account(disabled(true));
        state.world.save_account(disabled(true));
        let standby = state.world.clone();
        state.world.save_account(disabled(false));
        standby
    };
    store.state().fault_after(1, Fault::Fails);
    node.settle().await;
    store.state().world = standby;
    store.state().fault = Fault::None;
    node.settle().await;
    assert!(node.find("key_3").await.unwrap().unwrap().is_disabled(), "the lost change is undone");
}

#[tokio::test(start_paused = true)]
async fn a_failover_between_two_pages_leaves_no_key_that_is_lost() {
    let store = Fake::new();
    for key in 0..20 {
        add(&store, &format!("key_{key}"), "acme").await;
    }
    store.state().most = 5;
    let standby = store.state().world.clone();
    for calls in 1..8 {
        store.state().world = standby.clone();
        for key in 0..20 {
            add(&store, &format!("lost_{key}"), "acme").await;
        }
        store.state().fault_after(calls, Fault::Fails);
        let node = Node::new(&store);
        node.pass(SECOND / 20).await;
        store.state().world = standby.clone();
        add(&store, "later", "acme").await;
        store.state().fault = Fault::None;
        node.replica.ready().await;
        node.settle().await;
        assert_eq!(node.replica.len(), 21, "after {calls} calls");
        assert!(node.id("lost_3").await.is_none() && node.id("later").await.is_some());
        store.state().world.delete("later").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_backup_and_a_pruned_trail_are_read_anew() {
    let store = Fake::new();
    add(&store, "old", "acme").await;
    let node = Node::ready(&store).await;
    let backup = store.state().world.clone();
    add(&store, "forgotten", "acme").await;
    node.settle().await;
    {
        let mut state = store.state();
        state.world = backup;
    }
    // The same number of changes, so that only the marks differ.
    add(&store, "new", "acme").await;
    node.settle().await;
    assert_eq!(node.id("forgotten").await, None);
    assert!(node.id("old").await.is_some() && node.id("new").await.is_some());
    store.state().fault = Fault::Fails;
    node.pass(SECOND).await;
    add(&store, "during", "acme").await;
    store.state().world.prune();
    store.state().fault = Fault::None;
    node.pass(4 * SECOND).await;
    assert!(node.id("during").await.is_some());
}

/// While another history is read, the former records answer under the same rule.
#[tokio::test(start_paused = true)]
async fn the_former_records_answer_while_others_are_read_and_no_longer_than_they_may() {
    let store = Fake::new();
    add(&store, "old", "acme").await;
    let node = Node::ready(&store).await;
    node.settle().await;
    store.state().world = Fake::new().state().world.clone();
    add(&store, "new", "acme").await;
    // It is asked for changes, and fails from then on.
    store.state().fault_after(1, Fault::Hangs);
    node.pass(3 * SECOND).await;
    assert!(node.id("old").await.is_some() && node.id("new").await.is_none());
    node.pass(3 * SECOND).await;
    assert!(node.find("old").await.is_err() && node.find("new").await.is_err());
    store.state().fault = Fault::None;
    node.pass(31 * SECOND).await;
    assert!(node.id("old").await.is_none() && node.id("new").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_starts_within_an_import_misses_no_key() {
    let store = Fake::new();
    store.state().most = 7;
    let importing = {
        let store = store.clone();
        tokio::spawn(async move {
            for key in 0..200 {
                add(&store, &format!("key_{key}"), "imported").await;
                if key % 3 == 0 {
                    store.delete(&format!("key_{}", key / 2), BY).await.ok();
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let node = Node::new(&store);
    importing.await.unwrap();
    node.replica.ready().await;
    node.settle().await;
    let expected = store.state().world.keys.len();
    assert_eq!(node.replica.len(), expected);
    for key in 0..200 {
        let secret = format!("key_{key}");
        let expected = store.find(&digest(&secret)).await.unwrap();
        assert_eq!(node.find(&secret).await.unwrap().as_deref(), expected.as_deref(), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn uses_are_recorded_once_in_a_minute() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let node = Node::ready(&store).await;
    assert!(node.find("one").await.is_ok(), "before uses are written");
    tokio::spawn(node.replica.record_uses(Arc::new(store.clone())));
    tokio::time::sleep(SECOND).await;
    for _ in 0..100 {
        assert!(node.find("one").await.is_ok());
        assert!(node.find("unknown").await.is_ok());
    }
    node.pass(10 * SECOND).await;
    assert_eq!(store.state().uses, [digest("one")]);
    node.pass(60 * SECOND).await;
    assert!(node.find("one").await.is_ok());
    node.pass(10 * SECOND).await;
    assert_eq!(store.state().uses.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_valid_keys_are_used_and_only_by_requests() {
    let store = Fake::new();
    for id in ["asked", "good", "revoked"] {
        add(&store, id, "acme").await;
    }
    store.revoke("revoked", "test").await.unwrap();
    let node = Node::ready(&store).await;
    tokio::spawn(node.replica.record_uses(Arc::new(store.clone())));
    tokio::time::sleep(SECOND).await;
    assert_eq!(node.replica.id_of(&digest("asked")).await.unwrap().unwrap(), "asked");
    for id in ["good", "revoked"] {
        assert!(node.find(id).await.unwrap().is_some());
    }
    node.pass(10 * SECOND).await;
    assert_eq!(store.state().uses, [digest("good")]);
}
