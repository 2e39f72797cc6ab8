//! Load that moves away from nodes that hold tokens: what a fleet passes even so, and what it costs.

use std::time::Duration;

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota};
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::server::Redis;
use crate::{TURNS, fresh_prefix};

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

    /// Makes requests on a node one by one, and counts those that pass.
    async fn pass(&self, node: usize, requests: u32) -> u32 {
        let quotas = AppliedQuotas { general: &self.quotas, route: &[] };
        let (caller, mode) = (Caller::Key(&self.record), ChargeMode::IfAllowed);
        let mut passed = 0;
        for _ in 0..requests {
            let now = self.now.unwrap_or_else(|| SystemClock.now());
            let charge = Charge { caller, quotas, cost: 1, mode, now };
            let verdict = self.nodes[node].charge(charge).await.unwrap();
            passed += u32::from(verdict.retry_after().is_none());
        }
        passed
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
    let start = Timestamp::from_unix_seconds(1_795_600_020);
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::LeakyBucket] {
        for (nodes, busy) in SHIFTS {
            let mut fleet = Fleet::new(&server, nodes, quota(algorithm, WINDOW), Some(start));
            for node in 0..nodes {
                fleet.pass(node, busy).await;
                if busy > LIMIT / 2 {
                    fleet.advance(WINDOW);
                }
            }
            fleet.advance(WINDOW * 2);
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
