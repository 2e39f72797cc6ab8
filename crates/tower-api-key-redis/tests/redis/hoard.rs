//! Load that moves away from nodes that hold tokens: what a fleet passes even so, and what it costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota, Verdict};
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::server::Redis;
use crate::{TURNS, fresh_prefix};

const START: Timestamp = Timestamp::from_unix_seconds(1_795_600_020);
const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::LeakyBucket];

const LIMIT: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(10);

/// The nodes, and the requests that each one has got when the load moves.
const SHIFTS: [(usize, u32); 5] = [(4, 225), (16, 56), (64, 14), (16, 990), (64, 990)];

/// Nodes of one fleet, each with a limiter and a connection of its own.
struct Fleet {
    nodes: Vec<RedisLimiter>,
    record: KeyRecord,
    quotas: [Quota; 1],
    /// The instant by hand; the server's clock counts without one.
    now: Option<Timestamp>,
}

impl Fleet {
    fn new(server: &Redis, nodes: usize, quota: Quota, now: Option<Timestamp>) -> Self {
        let prefix = fresh_prefix();
        let node = |_| {
            let node = server.limiter().prefix(&*prefix).lease(Lease::new());
            if now.is_some() { node.on_request_time() } else { node }.build().unwrap()
        };
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key_1", account).build().unwrap();
        Self { nodes: (0..nodes).map(node).collect(), record, quotas: [quota], now }
    }

    async fn ask(&self, node: usize, mode: ChargeMode) -> Result<Verdict, LimiterError> {
        let quotas = AppliedQuotas { general: &self.quotas, route: &[] };
        let (caller, cost) = (Caller::Key(&self.record), u32::from(mode != ChargeMode::Peek));
        let now = self.now.unwrap_or_else(|| SystemClock.now());
        self.nodes[node].charge(Charge { caller, quotas, cost, mode, now }).await
    }

    /// Makes a request, and returns 1 if it passes.
    async fn try_pass(&self, node: usize) -> Result<u32, LimiterError> {
        let verdict = self.ask(node, ChargeMode::IfAllowed).await?;
        Ok(u32::from(verdict.retry_after().is_none()))
    }

    /// Makes requests on a node one by one, and counts those that pass.
    async fn pass(&self, node: usize, requests: u32) -> u32 {
        let mut passed = 0;
        for _ in 0..requests {
            passed += self.try_pass(node).await.unwrap();
        }
        passed
    }

    /// Makes requests on all nodes in turn, spread over a time, and counts those that pass.
    async fn pass_steadily(&mut self, requests: u32, time: Duration) -> u32 {
        let mut passed = 0;
        for number in 0..requests as usize {
            passed += self.try_pass(number % self.nodes.len()).await.unwrap();
            self.advance(time / requests);
        }
        passed
    }

    async fn remaining(&self, node: usize) -> u32 {
        self.ask(node, ChargeMode::Peek).await.unwrap().statuses()[0].remaining()
    }

    fn advance(&mut self, time: Duration) {
        self.now = self.now.map(|now| now.plus(time));
    }
}

fn quota(algorithm: Algorithm, window: Duration) -> Quota {
    Quota::new("requests", LIMIT, window).with_algorithm(algorithm)
}

/// The worst timing: no time passes in which a node could give anything back.
#[tokio::test]
async fn at_most_30_percent_lie_unused_on_other_nodes_after_the_load_moves() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in ALGORITHMS {
        for (nodes, busy) in SHIFTS {
            let mut fleet = Fleet::new(&server, nodes, quota(algorithm, WINDOW), Some(START));
            for node in 0..nodes {
                fleet.pass(node, busy).await;
                if busy > LIMIT / 2 {
                    // As much as this passes in a window of its own.
                    fleet.advance(WINDOW);
                }
            }
            if busy < LIMIT / 2 {
                fleet.advance(WINDOW * 13 / 12);
            }
            let mut passed = 0;
            for node in 1..nodes {
                passed += fleet.pass(node, 1).await;
            }
            passed += fleet.pass(0, LIMIT).await;
            println!("{algorithm}, {nodes} nodes, {busy} requests on each before: {passed} pass");
            assert!((700..=LIMIT).contains(&passed), "{algorithm}, {nodes}, {busy}: {passed}");
        }
    }
}

/// All nodes are equally busy for some windows. Within a window all requests go to one node.
#[tokio::test]
async fn at_most_30_percent_lie_unused_if_the_load_moves_within_a_window() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for (nodes, _) in &SHIFTS[..3] {
        let quota = quota(Algorithm::FixedWindow, WINDOW);
        let mut fleet = Fleet::new(&server, *nodes, quota, Some(START));
        for _ in 0..3 {
            fleet.pass_steadily(LIMIT * 9 / 10, WINDOW).await;
        }
        let mut passed = fleet.pass_steadily(LIMIT / 2, WINDOW / 2).await;
        passed += fleet.pass(0, LIMIT).await;
        println!("{nodes} nodes, within a window: {passed} pass");
        assert!((700..=LIMIT).contains(&passed), "{nodes}: {passed}");
    }
}

#[tokio::test]
async fn a_steady_load_costs_at_most_a_tenth_of_a_round_trip_per_request() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in ALGORITHMS {
        // The last fleet has too few requests on each node for a lease.
        for (nodes, limit) in [(4, 1_000), (16, 4_000), (64, 16_000), (64, 1_000)] {
            let quota = Quota::new("requests", limit, WINDOW).with_algorithm(algorithm);
            let mut fleet = Fleet::new(&server, nodes, quota, Some(START));
            let requests = limit * 9 / 10;
            fleet.pass_steadily(requests, WINDOW).await;
            fleet.pass_steadily(requests, WINDOW).await;
            let before = server.scripts_run();
            let passed = fleet.pass_steadily(requests, WINDOW).await;
            let calls = server.scripts_run() - before;
            let each = calls as f64 / f64::from(requests);
            println!(
                "{algorithm}, {nodes} nodes: {passed} of {requests} pass, {each:.3} round trips"
            );
            let is_busy = requests as usize >= 100 * nodes;
            assert!(each <= 0.1 || !is_busy, "{algorithm}, {nodes} nodes: {each}");
            assert!(passed >= requests * 9 / 10, "{algorithm}, {nodes} nodes: {passed}");
        }
    }
}

/// Returns nodes by the server's clock, of which the first has passed requests and holds tokens.
async fn hoarders(server: &Redis, algorithm: Algorithm) -> (Fleet, u32) {
    let quota = quota(algorithm, Duration::from_secs(3_600));
    let fleet = Fleet::new(server, 2, quota, None);
    let mut passed = 0;
    while passed < 100 || fleet.remaining(1).await == LIMIT - passed {
        passed += fleet.pass(0, 1).await;
    }
    (fleet, passed)
}

#[tokio::test]
async fn what_lies_unused_is_given_back_without_a_request() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::CalendarDay] {
        let (fleet, passed) = hoarders(&server, algorithm).await;
        let give_up = Instant::now() + Duration::from_secs(20);
        while fleet.remaining(1).await != LIMIT - passed {
            assert!(Instant::now() < give_up, "{algorithm}: it is not given back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Given back once, and not spent.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(fleet.remaining(0).await, LIMIT - passed);
        assert_eq!(fleet.pass(0, 10).await, 10);
    }
}

#[tokio::test]
async fn a_node_that_ends_gives_everything_back() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        let (fleet, passed) = hoarders(&server, algorithm).await;
        fleet.nodes[0].give_back_all().await.unwrap();
        assert_eq!(fleet.remaining(1).await, LIMIT - passed, "{algorithm}");
        fleet.nodes[0].give_back_all().await.unwrap();
        assert_eq!(fleet.remaining(1).await, LIMIT - passed, "{algorithm}, once");
        assert_eq!(fleet.pass(0, 5).await, 5, "it serves still");
    }
    let without = server.limiter().build().unwrap();
    without.give_back_all().await.unwrap();
}

/// A call of the timer may be under way when a process ends. With the process its tokens would be lost.
#[tokio::test]
async fn a_node_that_ends_waits_for_what_its_timer_gives_back() {
    let _turn = TURNS.write().await;
    let Some(server) = Redis::start() else { return };
    let quota = quota(Algorithm::FixedWindow, Duration::from_secs(3_600));
    let mut fleet = Fleet::new(&server, 2, quota, None);
    for node in &mut fleet.nodes {
        let patient = server.limiter().prefix("ending:").timeout(Duration::from_secs(20));
        *node = patient.lease(Lease::new()).build().unwrap();
    }
    let mut passed = 0;
    while passed < 100 || fleet.remaining(1).await == LIMIT - passed {
        passed += fleet.pass(0, 1).await;
    }
    server.signal("STOP");
    // The timer gives the batch back after 400 ms, and gets no answer.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut ending = std::pin::pin!(fleet.nodes[0].give_back_all());
    let early = tokio::time::timeout(Duration::from_millis(100), ending.as_mut()).await;
    server.signal("CONT");
    assert!(early.is_err(), "it does not wait");
    ending.await.unwrap();
    assert_eq!(fleet.remaining(1).await, LIMIT - passed);
}

/// Calls that timed out are carried out when the server goes on. Each one would take tokens for no request.
#[tokio::test]
async fn a_server_that_stands_still_for_a_while_costs_hardly_a_token() {
    const LIMIT: u32 = 400;
    const NODES: usize = 4;
    let _turn = TURNS.write().await;
    let Some(server) = Redis::start() else { return };
    let quota = Quota::new("requests", LIMIT, Duration::from_secs(3_600));
    let mut fleet = Fleet::new(&server, NODES, quota, None);
    for node in &mut fleet.nodes {
        let impatient = server.limiter().prefix("stall:").timeout(Duration::from_millis(100));
        *node = impatient.lease(Lease::new()).build().unwrap();
    }
    let mut passed = 0;
    for node in 0..NODES {
        passed += fleet.pass(node, 40).await;
    }
    let fleet = Arc::new(fleet);
    server.signal("STOP");
    let mut clients = JoinSet::new();
    for client in 0..NODES * 8 {
        let fleet = Arc::clone(&fleet);
        clients.spawn(async move {
            let (mut passed, ends) = (0, Instant::now() + Duration::from_secs(1));
            while Instant::now() < ends {
                passed += fleet.try_pass(client % NODES).await.unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            passed
        });
    }
    passed += clients.join_all().await.into_iter().sum::<u32>();
    server.signal("CONT");
    // The first pass may be late. Then nothing is given back for a second any more.
    let mut give_up = Instant::now() + Duration::from_secs(10);
    while passed < LIMIT && Instant::now() < give_up {
        for node in 0..NODES {
            if fleet.try_pass(node).await.is_ok_and(|more| more > 0) {
                (passed, give_up) = (passed + 1, Instant::now() + Duration::from_secs(1));
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("{passed} of {LIMIT} pass over a stall");
    assert!((LIMIT * 19 / 20..=LIMIT).contains(&passed), "{passed}");
}
