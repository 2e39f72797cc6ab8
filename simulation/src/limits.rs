//! A fleet whose limits are in Redis, and what happens to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_api_key::quota::Quota;
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::chance::Chance;
use crate::judge::Judge;
use crate::network::{Cut, Network};
use crate::node::{LimitNode, Load, Rate};
use crate::redis::{Death, RedisServer, RedisStreams};
use crate::time::{DriftingClock, Time};

/// A scenario of limits.
pub struct LimitScenario {
    /// The name.
    pub name: &'static str,
    /// The number of nodes.
    pub nodes: u64,
    /// How long it lasts, in milliseconds.
    pub lasts: u64,
    /// From when on it counts what is not about the limit itself.
    pub from: u64,
    /// The most passes above the limit.
    pub bound: u64,
    /// The quota of each account.
    pub quota: Quota,
    /// How nodes take tokens in advance.
    pub lease: Option<Lease>,
    /// The number of accounts.
    pub accounts: u64,
    /// Who asks how much.
    pub rate: Rate,
    /// The number of servers, over which accounts are spread.
    pub shards: u64,
    /// What is cut off.
    pub cuts: Vec<Cut>,
    /// The deaths of servers, each with the number of the server.
    pub deaths: Vec<(u64, Death)>,
    /// The most by which a node's clock is fast or slow, in millionths.
    pub drift: i64,
    /// When the clocks of nodes are set, and by how many milliseconds.
    pub steps: Vec<(u64, i64)>,
}

/// What a scenario of limits showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitFigures {
    /// The requests that passed, that were refused, and that failed.
    pub ends: [u64; 3],
    /// The passes above the limit in the whole run.
    pub above: u64,
    /// The part of the due requests that did not pass.
    pub under_use: f64,
    /// The calls for each request.
    pub trips: f64,
    /// The calls of all servers in a second.
    pub calls: f64,
    /// The most calls of one server in a second.
    pub busiest: u64,
    /// The most connections of one server.
    pub connections: u64,
    /// The most accounts that a node held.
    pub held: usize,
    /// The keys of all servers at the end.
    pub keys: usize,
}

impl LimitScenario {
    /// Runs the scenario.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be built.
    pub fn run(&self, seed: u64) -> LimitFigures {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(self.play(Chance::new(seed)))
    }

    async fn play(&self, chance: Chance) -> LimitFigures {
        let time = Time::begin();
        let network = Arc::new(Network::new(chance.of(&[1]), self.cuts.clone()));
        let servers: Vec<_> = (0..self.shards).map(|number| self.server(number, time)).collect();
        let judge = Arc::new(Mutex::new(Judge::new(self.quota.clone(), self.from)));
        let until = self.lasts;
        let load = Load { rate: Arc::clone(&self.rate), accounts: self.accounts, until };
        let steps: Arc<[(u64, i64)]> = self.steps.clone().into();
        let nodes: Vec<Arc<LimitNode>> = (0..self.nodes)
            .map(|number| {
                let chance = chance.of(&[2, number]);
                let of_node = (chance.fraction(&[3]) - 0.5) * 2.0 * self.drift as f64;
                let clock = DriftingClock::new(time, of_node as i64, Arc::clone(&steps));
                let limiters = self.limiters(number, &servers, &network);
                let (quota, judge) = ([self.quota.clone()], Arc::clone(&judge));
                Arc::new(LimitNode { number, chance, time, clock, limiters, quota, judge })
            })
            .collect();
        for node in &nodes {
            tokio::spawn(Arc::clone(node).serve(load.clone()));
        }
        time.reach(self.from).await;
        let before: u64 = servers.iter().map(|server| server.counts().calls).sum();
        // The last answers come within their timeout.
        time.reach(self.lasts + 1_000).await;
        let judge = judge.lock().unwrap();
        let calls: u64 = servers.iter().map(|server| server.counts().calls).sum::<u64>() - before;
        let mut windows = BTreeMap::new();
        for server in &servers {
            windows.extend(server.windows());
        }
        let counts = || servers.iter().map(|server| server.counts());
        let of_limiters =
            |node: &Arc<LimitNode>| node.limiters.iter().map(RedisLimiter::held).sum();
        LimitFigures {
            ends: judge.ends,
            above: judge.above(&windows),
            under_use: judge.under_use(),
            trips: calls as f64 / judge.ends.iter().sum::<u64>().max(1) as f64,
            calls: calls as f64 * 1_000.0 / (self.lasts - self.from) as f64,
            busiest: counts().map(|counts| counts.busiest).max().unwrap_or(0),
            connections: counts().map(|counts| counts.most_connections).max().unwrap_or(0),
            held: nodes.iter().map(of_limiters).max().unwrap_or(0),
            keys: servers.iter().map(|server| server.len()).sum(),
        }
    }

    fn server(&self, number: u64, time: Time) -> Arc<RedisServer> {
        let own = |death: &&(u64, Death)| death.0 == number;
        let deaths = self.deaths.iter().filter(own).map(|death| death.1).collect();
        RedisServer::start(number, time, deaths)
    }

    fn limiters(
        &self,
        node: u64,
        servers: &[Arc<RedisServer>],
        network: &Arc<Network>,
    ) -> Vec<RedisLimiter> {
        let limiter = |server: &Arc<RedisServer>| {
            let (server, network) = (Arc::clone(server), Arc::clone(network));
            let mut builder = RedisLimiter::builder("redis://simulated");
            builder = builder.timeout(Duration::from_millis(50));
            builder = builder.stream_source(RedisStreams { node, server, network });
            if let Some(lease) = self.lease {
                builder = builder.lease(lease);
            }
            builder.build().expect("the settings are valid")
        };
        servers.iter().map(limiter).collect()
    }
}
