//! No lookup is answered by records that are older than the staleness.

use std::time::Duration;

use tower_api_key::ConfigError;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyStore, Replica, WhenStale};

use crate::fake::{Fake, Fault};
use crate::support::{Node, SECOND, add, digest};

#[tokio::test(start_paused = true)]
async fn no_lookup_is_answered_before_the_first_copy() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let replica = Replica::new(store.clone());
    let refusal = replica.find(&digest("one")).await.unwrap_err().to_string();
    assert!(refusal.contains("spawn `Replica::follow`"), "{refusal}");
    store.state().fault = Fault::Fails;
    let node = Node::new(&store);
    node.settle().await;
    let refusal = node.refusal("one").await;
    assert!(refusal.contains("the first copy of the store is not complete"), "{refusal}");
    assert!(refusal.contains("the connection was lost"), "{refusal}");
    assert!(node.replica.age().is_none() && node.replica.failure().is_some());
    store.state().fault = Fault::None;
    node.replica.ready().await;
    assert_eq!(node.id("one").await.as_deref(), Some("one"));
    assert_eq!(node.id("two").await, None);
    assert!(node.replica.failure().is_none());
}

/// A process that is stopped for a minute sees the time only on its own requests.
#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_refuses_its_first_request() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let node = Node::ready(&store).await;
    assert!(node.find("one").await.is_ok());
    // No task runs in between.
    node.clock.advance(60 * SECOND);
    let refusal = node.refusal("one").await;
    assert!(refusal.contains("last proven 60"), "{refusal}");
    assert!(node.refusal("unknown").await.contains("5s are allowed"));
    node.settle().await;
    assert!(node.find("one").await.is_ok(), "it asks, and answers again");
}

#[tokio::test(start_paused = true)]
async fn a_dead_store_costs_no_request_until_the_staleness_is_over() {
    let grace = 3 * SECOND;
    for (when_stale, longest) in
        [(WhenStale::Refuse, 5 * SECOND), (WhenStale::ServeFor(grace), 8 * SECOND)]
    {
        for fault in [Fault::Fails, Fault::Hangs] {
            let store = Fake::new();
            add(&store, "one", "acme").await;
            let node = Node::with(&store, |builder| builder.when_stale(when_stale));
            node.replica.ready().await;
            node.settle().await;
            store.state().fault = fault;
            let proven = node.replica.age().unwrap();
            let left = longest - proven - Duration::from_nanos(1);
            node.clock.advance(left);
            assert!(node.find("one").await.is_ok(), "{when_stale:?} {fault:?}");
            assert_eq!(node.id("unknown").await, None);
            node.clock.advance(Duration::from_nanos(1));
            assert!(node.find("one").await.is_err(), "{when_stale:?} {fault:?}");
            node.settle().await;
            node.settle().await;
            assert!(node.refusal("one").await.contains("allowed: the key store cannot answer"));
            store.state().fault = Fault::None;
            node.pass(4 * SECOND).await;
            assert!(node.find("one").await.is_ok(), "{when_stale:?} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_wall_clock_changes_nothing() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    let node = Node::ready(&store).await;
    node.settle().await;
    // A step forward is time that passes for this clock, so only a step back is made.
    node.clock.set(Timestamp::from_unix_seconds(10));
    assert!(node.find("one").await.is_ok());
    store.state().fault = Fault::Fails;
    node.clock.advance(5 * SECOND);
    assert!(node.find("one").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_behind_proves_that_much_less() {
    let store = Fake::new();
    add(&store, "one", "acme").await;
    store.state().behind = 3 * SECOND;
    let node = Node::ready(&store).await;
    node.settle().await;
    assert!(node.replica.age().unwrap() >= 3 * SECOND);
    assert!(node.find("one").await.is_ok());
    store.state().behind = 5 * SECOND;
    node.pass(5 * SECOND).await;
    assert!(node.find("one").await.is_err(), "every answer is too old");
    store.state().behind = Duration::ZERO;
    node.settle().await;
    assert!(node.find("one").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_idle_replica_asks_about_once_in_each_interval() {
    let store = Fake::new();
    let node = Node::ready(&store).await;
    let before = store.state().calls;
    node.pass(100 * SECOND).await;
    let calls = store.state().calls - before;
    assert!((95..140).contains(&calls), "{calls} questions in 100 s");
    store.state().fault = Fault::Fails;
    node.pass(10 * SECOND).await;
    let before = store.state().calls;
    node.pass(100 * SECOND).await;
    let calls = store.state().calls - before;
    assert!((20..40).contains(&calls), "{calls} questions in 100 s to a store that fails");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_replica_ends_its_task_even_if_the_store_hangs() {
    let store = Fake::new();
    let Node { replica, .. } = Node::ready(&store).await;
    let second = tokio::spawn(replica.follow());
    tokio::time::timeout(SECOND, second).await.expect("a second one ends at once").unwrap();
    let replica = {
        drop(replica);
        Replica::new(store.clone())
    };
    store.state().fault = Fault::Hangs;
    let following = tokio::spawn(replica.follow());
    tokio::time::sleep(SECOND).await;
    assert!(!following.is_finished());
    drop(replica);
    tokio::time::timeout(SECOND / 10, following).await.expect("it ends").unwrap();
}

#[test]
fn contradictions_are_found_when_a_replica_is_built() {
    let build = |poll: Duration, staleness: Duration, timeout: Duration| {
        let builder = Replica::builder(Fake::new()).poll_interval(poll).staleness(staleness);
        builder.timeout(timeout).build()
    };
    assert!(build(SECOND, 2 * SECOND, SECOND).is_ok());
    for (poll, staleness, timeout, wrong) in [
        (SECOND, SECOND, SECOND, "staleness"),
        (2 * SECOND, SECOND, SECOND, "staleness"),
        (Duration::ZERO, SECOND, SECOND, "poll_interval"),
        (SECOND, 5 * SECOND, Duration::ZERO, "timeout"),
    ] {
        let error = build(poll, staleness, timeout).unwrap_err();
        assert!(matches!(error, ConfigError::Replica { field, .. } if field == wrong), "{error}");
    }
}
