//! The scenarios of limits.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tower_api_key::quota::{Algorithm, Quota};
use tower_api_key_redis::Lease;

use crate::limits::LimitScenario;
use crate::network::Cut;
use crate::redis::{Death, Recovery};

/// The size of a fleet, and how long it is watched.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The nodes.
    pub nodes: u64,
    /// The requests a second of a node.
    pub rate: f64,
    /// How long a scenario lasts, in milliseconds. It begins to count after a third.
    pub lasts: u64,
}

impl Size {
    /// Returns the requests of the fleet in a time.
    fn requests(self, time: Duration) -> f64 {
        self.nodes as f64 * self.rate * time.as_secs_f64()
    }

    /// Returns the same fleet with at most so many requests a second in all. A call takes far longer to simulate than
    /// a request that is answered in memory.
    fn at_most(self, requests: f64) -> Self {
        Self { rate: self.rate.min(requests / self.nodes as f64), ..self }
    }

    fn quota(self, part: f64) -> Quota {
        let window = Duration::from_secs(10);
        Quota::new("window", (self.requests(window) * part) as u32, window)
    }

    fn scenario(self, name: &'static str) -> LimitScenario {
        let rate = self.rate;
        LimitScenario {
            name,
            nodes: self.nodes,
            lasts: self.lasts,
            from: self.lasts / 3,
            bound: 0,
            quota: self.quota(1.0 / 3.0),
            lease: Some(Lease::new()),
            accounts: 1,
            rate: Arc::new(move |_, _| rate),
            shards: 1,
            cuts: Vec::new(),
            deaths: Vec::new(),
            drift: 0,
            steps: Vec::new(),
        }
    }

    /// Returns a time after the scenario began to count.
    pub(crate) fn during(self, lasts: u64) -> Range<u64> {
        let at = self.lasts / 3 + 5_000;
        at..at + lasts
    }

    /// Returns all scenarios.
    pub fn all(self) -> Vec<LimitScenario> {
        vec![
            self.steady(),
            self.many_accounts(),
            self.hot(),
            self.without_leases(),
            self.shift(),
            self.drift(),
            self.clocks_set_back(),
            self.partition(),
            self.stall(),
            self.shard_dies(),
            self.shard_fails_over(),
        ]
    }

    /// Few accounts whose requests all nodes share, under their limit.
    pub fn steady(self) -> LimitScenario {
        // Each node has some six requests of an account a second.
        let accounts = ((self.rate / 6.0) as u64).max(1);
        let quota = self.quota(1.2 / accounts as f64);
        LimitScenario { quota, accounts, ..self.scenario("steady load") }
    }

    /// So many accounts that a node rarely has two requests of one within a lease.
    pub fn many_accounts(self) -> LimitScenario {
        let size = self.at_most(1_000.0);
        let (accounts, quota) = (1_000, size.quota(0.1));
        LimitScenario { quota, accounts, ..size.scenario("1,000 accounts") }
    }

    /// One account on all nodes, with three times its limit.
    pub fn hot(self) -> LimitScenario {
        self.scenario("hot account")
    }

    /// The same, without leases.
    pub fn without_leases(self) -> LimitScenario {
        LimitScenario { lease: None, ..self.at_most(1_000.0).hot() }.named("hot, no leases")
    }

    /// One account that uses up its limit of a second on each node in turn. Then each node gets a request, and one node
    /// all others.
    pub fn shift(self) -> LimitScenario {
        // A hundred nodes at most have a turn.
        let (at, window) = (self.nodes.min(100) * 1_000, Duration::from_secs(1));
        let limit = (self.nodes as f64 * 16.0).max(1_000.0);
        let rate = move |node, now| match node {
            _ if now < at && now / 1_000 == node => limit * 1.2,
            _ if now < at => 0.0,
            _ if now < at + 100 => 10.0,
            0 => limit * 1.5,
            _ => 0.0,
        };
        let quota = Quota::new("window", limit as u32, window);
        let (from, lasts, rate) = (at, at + 2_000, Arc::new(rate));
        LimitScenario { lasts, from, quota, rate, ..self.scenario("load that shifts") }
    }

    /// Clocks that run up to 450 millionths fast or slow.
    pub fn drift(self) -> LimitScenario {
        let size = self.at_most(5_000.0);
        let quota = size.quota(1.0 / 3.0).with_algorithm(Algorithm::SlidingWindow);
        LimitScenario { drift: 450, quota, ..size.scenario("sliding window, clock drift") }
    }

    /// Clocks that are set back by half a second.
    pub fn clocks_set_back(self) -> LimitScenario {
        let at = self.during(0).start;
        let steps = vec![(at, -500)];
        LimitScenario { steps, ..self.drift() }.named("sliding window, clocks set back 0.5 s")
    }

    /// A third of the nodes does not reach Redis for 10 s.
    pub fn partition(self) -> LimitScenario {
        let nodes = 0..self.nodes.div_ceil(3);
        let cuts = vec![Cut { during: self.during(10_000), nodes, server: 0 }];
        LimitScenario { cuts, ..self.scenario("a third cut off 10 s") }
    }

    /// Redis stands still for 3 s, and then answers what was asked.
    pub fn stall(self) -> LimitScenario {
        let cuts = vec![Cut { during: self.during(3_000), nodes: 0..self.nodes, server: 0 }];
        LimitScenario { cuts, ..self.scenario("Redis stalls 3 s") }
    }

    /// One of three servers dies for 5 s, and comes back empty.
    pub fn shard_dies(self) -> LimitScenario {
        let death = self.during(5_000);
        let death = Death { at: death.start, until: death.end, recovery: Recovery::Empty };
        self.sharded("a shard dies, comes empty", death)
    }

    /// One of three servers dies, and its replica takes over after 2 s, without the last second.
    pub fn shard_fails_over(self) -> LimitScenario {
        let death = self.during(2_000);
        let recovery = Recovery::Replica(1_000);
        let death = Death { at: death.start, until: death.end, recovery };
        self.sharded("a shard fails over", death)
    }

    fn sharded(self, name: &'static str, death: Death) -> LimitScenario {
        let size = self.at_most(2_000.0);
        let quota = size.quota(1.0 / 10.0).with_algorithm(Algorithm::SlidingWindow);
        // What the server forgets may pass again, up to the limit of its account.
        let (bound, deaths) = (u64::from(quota.limit()), vec![(1, death)]);
        LimitScenario { shards: 3, accounts: 3, quota, deaths, bound, ..size.scenario(name) }
    }
}

impl LimitScenario {
    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}
