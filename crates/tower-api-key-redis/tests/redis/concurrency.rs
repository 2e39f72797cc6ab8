//! Permits in Redis: leased, renewed, given back, and over all nodes never more than the rule says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::BodyExt;
use tower_api_key::ApiKeyLayer;
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::key::AccountId;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Route, Routes};
use tower_api_key_redis::RedisConcurrency;

use crate::Redis;
use crate::support::{PROFILE, Service, greeting, reason, request, send, store};

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = SECOND;
const ROUTE: &str = "POST /jobs";
const KEY: &str = "tower-api-key:{acme}:permits:POST /jobs";

/// The permits of another node, with a connection of its own.
fn node(server: &Redis) -> RedisConcurrency {
    server.limiter().permit_lease(LEASE).build().unwrap().concurrency()
}

async fn acquire(concurrency: &RedisConcurrency, rule: Concurrency) -> Option<Permit> {
    let account = AccountId::new("acme").unwrap();
    concurrency.acquire(Acquire { account: &account, route: ROUTE, rule }).await.unwrap()
}

fn taken(server: &Redis) -> usize {
    server.ask(&["ZCARD", KEY])
}

/// Waits for something that a task does in the background.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + 10 * SECOND;
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_all_nodes_never_more_than_the_limit_are_in_flight() {
    const REQUESTS: usize = 150;
    let Some(server) = Redis::start() else { return };
    let nodes = [node(&server), node(&server), node(&server)];
    let rule = Concurrency::new(3).with_longest_wait(60 * SECOND);
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let concurrency = nodes[number % nodes.len()].clone();
            let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
            tokio::spawn(async move {
                let permit = acquire(&concurrency, rule).await;
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                permit.is_some()
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    eventually("all permits are given back", || taken(&server) == 0).await;
    assert_eq!(server.ask::<u32>(&["EXISTS", KEY]), 0, "and nothing is left of them");
}

#[tokio::test]
async fn a_permit_that_is_held_is_renewed_and_one_that_is_given_back_is_free_at_once() {
    let Some(server) = Redis::start() else { return };
    let (one, other) = (node(&server), node(&server));
    let rule = Concurrency::new(1);
    let permit = acquire(&one, rule).await.unwrap();
    let ttl: i64 = server.ask(&["PTTL", KEY]);
    assert!((1..=1_000).contains(&ttl), "{ttl}");
    let until = Instant::now() + 3 * LEASE;
    while Instant::now() < until {
        assert!(acquire(&other, rule).await.is_none(), "it is held for longer than a lease");
        tokio::time::sleep(LEASE / 20).await;
    }
    let began = Instant::now();
    drop(permit);
    let _permit =
        acquire(&other, rule.with_longest_wait(5 * SECOND)).await.expect("the permit is free");
    // The last renewal was a third of the lease ago at most.
    assert!(began.elapsed() < LEASE * 2 / 3, "sooner than its lease ends: {:?}", began.elapsed());
}

#[tokio::test]
async fn requests_of_a_node_are_served_in_the_order_in_which_they_came() {
    let Some(server) = Redis::start() else { return };
    let concurrency = node(&server);
    let rule = Concurrency::new(1).with_longest_wait(10 * SECOND).with_longest_queue(5);
    let first = acquire(&concurrency, rule).await;
    let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..6 {
        let (concurrency, sender) = (concurrency.clone(), sender.clone());
        tokio::spawn(async move {
            let permit = acquire(&concurrency, rule).await;
            sender.send((number, permit.is_some())).unwrap();
        });
        // Each has asked, and been told no, before the next one comes.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(served.recv().await, Some((5, false)), "five wait at most");
    drop(first);
    for number in 0..5 {
        assert_eq!(served.recv().await, Some((number, true)));
    }
}

#[tokio::test]
async fn who_waits_hears_at_once_of_a_permit_that_its_own_node_gives_back() {
    const ROUNDS: u32 = 12;
    let Some(server) = Redis::start() else { return };
    let concurrency = node(&server);
    let rule = Concurrency::new(1).with_longest_wait(10 * SECOND);
    let mut held = acquire(&concurrency, rule).await;
    let mut waited = Duration::ZERO;
    for _ in 0..ROUNDS {
        let waiting = tokio::spawn({
            let concurrency = concurrency.clone();
            async move { acquire(&concurrency, rule).await }
        });
        // By now it asks every 50 to 100 ms.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        drop(held);
        held = waiting.await.unwrap();
        waited += began.elapsed();
    }
    assert!(waited < ROUNDS * Duration::from_millis(20), "{:?} each", waited / ROUNDS);
}

#[tokio::test]
async fn who_waits_asks_seldom_and_for_no_longer_than_the_rule_says() {
    const LONGEST: Duration = Duration::from_millis(200);
    let Some(server) = Redis::start() else { return };
    let (ours, other) = (node(&server), node(&server));
    let _held = acquire(&other, Concurrency::new(1)).await.unwrap();
    let (before, began) = (server.scripts_run(), Instant::now());
    let waiting = acquire(&ours, Concurrency::new(1).with_longest_wait(LONGEST));
    let waited = tokio::time::timeout(10 * SECOND, waiting).await.expect("the wait ends");
    assert!(waited.is_none() && began.elapsed() >= LONGEST, "{:?}", began.elapsed());
    // Once, once in the line, and after 5, 10, 20, 40, 50, 50 ms and the rest; the other renews its permit.
    let asked = server.scripts_run() - before;
    assert!((2..=12).contains(&asked), "{asked}");
}

#[tokio::test]
async fn who_comes_later_does_not_overtake_who_waits_already() {
    let Some(server) = Redis::start() else { return };
    let (ours, other) = (node(&server), node(&server));
    let rule = Concurrency::new(1).with_longest_wait(10 * SECOND);
    for _ in 0..5 {
        let held = acquire(&other, rule).await;
        let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
        let come = |name: &'static str| {
            let (concurrency, sender) = (ours.clone(), sender.clone());
            tokio::spawn(async move {
                let permit = acquire(&concurrency, rule).await;
                sender.send(name).unwrap();
                permit
            })
        };
        let first = come("first");
        // By now it asks ten times a second, and does not hear that another node gives a permit back.
        tokio::time::sleep(Duration::from_millis(250)).await;
        drop(held);
        // Time for the other node to give it back, and nearly always less than until the first asks.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let second = come("second");
        assert_eq!(served.recv().await, Some("first"));
        drop(first.await.unwrap());
        assert_eq!(served.recv().await, Some("second"));
        drop(second.await.unwrap());
        eventually("all are gone", || taken(&server) == 0).await;
    }
}

#[tokio::test]
async fn a_request_that_goes_away_while_it_asks_leaves_no_permit_taken() {
    const REQUESTS: usize = 20;
    let Some(server) = Redis::start() else { return };
    let concurrency = node(&server);
    let rule = Concurrency::new(100);
    drop(acquire(&concurrency, rule).await);
    eventually("the first is gone", || taken(&server) == 0).await;
    // They have asked, and the server will hear of it, but none waits for the answer.
    server.signal("STOP");
    for _ in 0..REQUESTS {
        let asking = acquire(&concurrency, rule);
        assert!(tokio::time::timeout(Duration::from_millis(10), asking).await.is_err());
    }
    let began = Instant::now();
    server.signal("CONT");
    eventually("all permits are given back", || taken(&server) == 0).await;
    assert!(began.elapsed() < LEASE, "sooner than any lease ends: {:?}", began.elapsed());
    let told: String = server.ask(&["INFO", "commandstats"]);
    let added = told.lines().find(|line| line.starts_with("cmdstat_zadd:calls="));
    let expected = format!("cmdstat_zadd:calls={},", REQUESTS + 1);
    assert!(added.is_some_and(|line| line.starts_with(&expected)), "all were taken: {added:?}");
    tokio::time::sleep(LEASE / 2).await;
    assert_eq!(taken(&server), 0, "and none is renewed");
}

#[tokio::test]
async fn a_permit_that_was_taken_without_anyones_knowledge_comes_back_after_the_lease() {
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().timeout(Duration::from_millis(100)).permit_lease(LEASE);
    let (concurrency, rule) = (limiter.build().unwrap().concurrency(), Concurrency::new(1));
    drop(acquire(&concurrency, rule).await);
    eventually("the first is gone", || taken(&server) == 0).await;
    let account = AccountId::new("acme").unwrap();
    let entry = Acquire { account: &account, route: ROUTE, rule };
    server.signal("STOP");
    // Neither the question is answered in time, nor the word that nobody wants the permit any more.
    for _ in 0..5 {
        assert!(concurrency.acquire(entry).await.is_err());
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    server.signal("CONT");
    let permit = loop {
        match concurrency.acquire(entry).await {
            Ok(Some(permit)) => break permit,
            Ok(None) | Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        assert!(began.elapsed() < 2 * LEASE + 2 * SECOND, "it does not come back");
    };
    assert_eq!(taken(&server), 1);
    drop(permit);
}

#[tokio::test]
async fn a_server_that_was_restarted_empty_is_told_who_is_in_flight() {
    let Some(mut server) = Redis::start() else { return };
    let limiter = server.limiter().timeout(SECOND / 4).permit_lease(LEASE).build().unwrap();
    let concurrency = limiter.concurrency();
    let rule = Concurrency::new(2);
    let held =
        [acquire(&concurrency, rule).await.unwrap(), acquire(&concurrency, rule).await.unwrap()];
    server.kill();
    let account = AccountId::new("acme").unwrap();
    let entry = Acquire { account: &account, route: ROUTE, rule };
    assert!(concurrency.acquire(entry).await.is_err(), "nobody can tell");
    server.start_again();
    eventually("both are counted again", || taken(&server) == 2).await;
    let () = server.ask(&["SCRIPT", "FLUSH"]);
    assert!(acquire(&concurrency, rule).await.is_none());
    drop(held);
    eventually("both are given back", || taken(&server) == 0).await;
}

/// A gate of a node, with its own table of routes, in which the limited one has any permit.
fn gate(concurrency: RedisConcurrency, routes: Routes, on_failure: OnLimiterFailure) -> Service {
    let routes = routes.on(&[Method::POST], "/jobs", Route::new().concurrency(Concurrency::new(1)));
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
    greeting(&builder.concurrency(concurrency, on_failure).build().unwrap())
}

#[tokio::test]
async fn a_body_that_streams_for_longer_than_the_lease_keeps_its_permit() {
    let Some(server) = Redis::start() else { return };
    let old = gate(node(&server), Routes::new(), OnLimiterFailure::Deny);
    // As in a rolling deploy: the next version has another route before it.
    let added = Routes::new().on(&[], "/new", Route::new());
    let new = gate(node(&server), added, OnLimiterFailure::Deny);
    let job = || request(Method::POST, "/jobs");
    let mut streaming = send(&old, job()).await;
    assert_eq!(reason(&streaming), "admitted");
    streaming.body_mut().frame().await.unwrap().unwrap();
    let until = Instant::now() + 3 * LEASE;
    while Instant::now() < until {
        assert_eq!(reason(&send(&new, job()).await), "concurrency_exceeded");
        tokio::time::sleep(LEASE / 20).await;
    }
    assert!(streaming.body_mut().frame().await.is_none(), "the body has ended");
    eventually("the permit is given back", || taken(&server) == 0).await;
    assert_eq!(reason(&send(&new, job()).await), "admitted");
}

#[tokio::test]
async fn while_the_server_is_down_a_gate_does_what_was_chosen() {
    let Some(mut server) = Redis::start() else { return };
    server.kill();
    for (choice, expected) in
        [(OnLimiterFailure::Deny, "limiter_unavailable"), (OnLimiterFailure::Allow, "admitted")]
    {
        let service = gate(node(&server), Routes::new(), choice);
        for _ in 0..5 {
            let answered = send(&service, request(Method::POST, "/jobs")).await;
            assert_eq!(reason(&answered), expected);
        }
    }
}

#[tokio::test]
async fn a_cluster_keeps_permits_in_the_slot_of_all_else_of_an_account() {
    let Some(server) = Redis::start_with(&["--cluster-enabled", "yes"]) else { return };
    server.takes_all_slots();
    let is_up = || server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
    eventually("the cluster is up", is_up).await;
    let concurrency = server.cluster_limiter().build().unwrap().concurrency();
    for (account, of_account) in
        [("a}b{c", "tower-api-key:{a%7Db%7Bc}"), ("}", "tower-api-key:{%7D}")]
    {
        let id = AccountId::new(account).unwrap();
        let entry = Acquire { account: &id, route: "GET /{x}", rule: Concurrency::new(1) };
        let permit = concurrency.acquire(entry).await.unwrap();
        assert!(permit.is_some());
        let key = format!("{of_account}:permits:GET /{{x}}");
        assert_eq!(server.ask::<u32>(&["ZCARD", &key]), 1, "{account}");
        let slot = |key: &str| -> u32 { server.ask(&["CLUSTER", "KEYSLOT", key]) };
        assert_eq!(slot(&key), slot(of_account), "{account}");
    }
}
