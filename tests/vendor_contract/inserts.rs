//! Personyze: one insert of users in flight per account, and ten seconds for the tracker.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::time::{Instant, sleep};

use super::case::{Case, UNDOCUMENTED, World};
use super::gate::Gate;
use super::personyze::GOOD;

const INSERT: Case = GOOD.request("POST", "/rest/users");
const SECOND: Duration = Duration::from_secs(1);
const SECOND_KEY: &str = "0000000000000000000000000000000000000001";
const OTHER_KEY: &str = "0000000000000000000000000000000000000002";
const AS_SECOND: &[&str] = &["Basic YXBpOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDE="];
const AS_OTHER: &[&str] = &["Basic YXBpOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDI="];

fn gate() -> Gate {
    let gate = Gate::of(&INSERT);
    gate.insert(SECOND_KEY, "key_2", "acme", |record| record);
    gate.insert(OTHER_KEY, "key_3", "globex", |record| record);
    gate
}

#[tokio::test(start_paused = true)]
async fn an_insert_waits_a_second_for_the_one_before() {
    let gate = gate();
    let first = gate.respond(INSERT.to_request()).await;
    // The same key, and another of the account: both wait for one second, and in vain.
    for case in [INSERT, INSERT.authorization(AS_SECOND)] {
        let began = Instant::now();
        let answered = gate.send(case.to_request()).await;
        assert_eq!(answered.status, 400);
        assert_eq!(answered.body, "Too many simultaneous requests");
        assert_eq!(began.elapsed(), SECOND);
    }
    // Other accounts, methods and paths do not wait.
    for case in [
        INSERT.authorization(AS_OTHER),
        INSERT.request("GET", "/rest/users"),
        INSERT.request("POST", "/rest/users/7"),
        INSERT.request("PUT", "/rest/segments"),
    ] {
        let began = Instant::now();
        assert_eq!(gate.send(case.to_request()).await.status, 200, "{}", case.target);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
    drop(first);
    assert_eq!(gate.send(INSERT.to_request()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_when_the_body_before_was_read() {
    let gate = gate();
    let first = gate.respond(INSERT.to_request()).await;
    let began = Instant::now();
    let waiting = tokio::spawn({
        let gate = gate.clone();
        async move { gate.send(INSERT.to_request()).await }
    });
    sleep(SECOND / 2).await;
    assert!(!waiting.is_finished());
    let Ok(_) = first.into_body().collect().await;
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(began.elapsed(), SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn never_more_than_one_insert_of_an_account_is_served() {
    let gate = gate();
    gate.stall();
    let stuck: Vec<_> = (0..20)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move { gate.send(INSERT.to_request()).await })
        })
        .collect();
    sleep(SECOND * 2).await;
    assert_eq!(gate.reached(), 1);
    let finished: Vec<_> = stuck.iter().filter(|task| task.is_finished()).collect();
    assert_eq!(finished.len(), 19);
    // A client that goes away gives its place back.
    for task in &stuck {
        task.abort();
    }
    for task in stuck {
        let answered = task.await;
        assert!(answered.map_or_else(|error| error.is_cancelled(), |a| a.status == 400));
    }
    let again = tokio::spawn({
        let gate = gate.clone();
        async move { gate.send(INSERT.to_request()).await }
    });
    sleep(SECOND / 10).await;
    assert_eq!(gate.reached(), 2);
    again.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refused_insert_takes_no_place() {
    let gate = gate();
    let refused = INSERT.authorization(&["Basic YXBpOmhlbGxv"]);
    assert_eq!(gate.send(refused.to_request()).await.status, 401);
    let first = gate.respond(INSERT.to_request()).await;
    let began = Instant::now();
    assert!(gate.store.delete_now("key_2"));
    let unknown = INSERT.authorization(AS_SECOND);
    assert_eq!(gate.send(unknown.to_request()).await.body, "Invalid API key");
    assert_eq!(began.elapsed(), Duration::ZERO, "no stranger queues");
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn routes_have_places_of_their_own() {
    const PLACE: Case = GOOD.at(UNDOCUMENTED, "/place");
    let gate = Gate::of(&PLACE);
    let first = gate.respond(PLACE.to_request()).await;
    let other = PLACE.request("GET", "/other-place");
    assert_eq!(gate.send(other.to_request()).await.status, 200);
    assert_eq!(gate.send(PLACE.to_request()).await.status, 400);
    drop(first);
    assert_eq!(gate.send(PLACE.to_request()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_tracker_has_ten_seconds() {
    let tracker = GOOD.request("GET", "/rest/tracker").world(World::ServiceStalls);
    let began = Instant::now();
    let answered = Gate::of(&tracker).send(tracker.to_request()).await;
    assert_eq!(began.elapsed(), SECOND * 10);
    assert_eq!(answered.status, 503);
    assert_eq!(answered.body, "Request took too long");
    // Nothing else has a limit of time.
    let gate = Gate::of(&tracker);
    for target in ["/rest/users", "/rest/tracker/7", "/rest/segments"] {
        let case = GOOD.request("GET", target);
        let waiting = gate.send(case.to_request());
        assert!(tokio::time::timeout(SECOND * 3_600, waiting).await.is_err(), "{target}");
    }
}

#[tokio::test]
async fn other_endpoints_have_no_request_limit() {
    let gate = gate();
    for _ in 0..6_000 {
        assert_eq!(gate.send(GOOD.to_request()).await.status, 200);
    }
}
