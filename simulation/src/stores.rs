//! A fleet that looks keys up, and what happens to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tower_api_key::clock::Clock;
use tower_api_key::key::KeyDigest;
use tower_api_key::key::SharedRecord;
use tower_api_key::store::{Cached, KeyStore, Replica, StoreError, WhenStale};

use crate::chance::Chance;
use crate::database::{Database, Failover, Listener, NodeFeed, NodeStore, PaperKeys};
use crate::network::{Cut, Network};
use crate::node::when_known;
use crate::store_mode::StoreMode;
use crate::time::{DriftingClock, Time};

/// A scenario of lookups.
#[derive(Debug, Clone)]
pub struct StoreScenario {
    /// The name.
    pub name: String,
    /// How nodes find keys.
    pub mode: StoreMode,
    /// The number of nodes.
    pub nodes: u64,
    /// The requests a second of a node.
    pub rate: f64,
    /// How long it lasts, in milliseconds.
    pub lasts: u64,
    /// From when on it counts.
    pub from: u64,
    /// The keys of the database.
    pub keys: u64,
    /// The keys that most requests use.
    pub busy_keys: u64,
    /// The part of the requests with any other key.
    pub others: f64,
    /// The keys revoked in a second.
    pub revocations: f64,
    /// What is cut off.
    pub cuts: Vec<Cut>,
    /// The failovers of the database.
    pub failovers: Vec<Failover>,
    /// For how long records are served that cannot be read again.
    pub grace: Duration,
    /// The longest time for which an answer may differ from the database, in milliseconds.
    pub bound: u64,
    /// The most by which a clock is fast or slow, in millionths.
    pub drift: i64,
}

/// What a scenario of lookups showed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StoreFigures {
    /// The requests.
    pub requests: u64,
    /// The requests that were answered 503.
    pub failed: u64,
    /// The requests that waited for the database.
    pub waited: u64,
    /// The longest time for which an answer differed from the database, in milliseconds.
    pub stalest: u64,
    /// When half of the nodes, 99 % of them and all of them refused a key that was revoked, in milliseconds.
    pub seen: [u64; 3],
    /// The statements in a second.
    pub statements: f64,
    /// The most statements in one second.
    pub busiest: u64,
    /// The notices in a second.
    pub notices: f64,
    /// The most connections in use at the same time, with those that listen.
    pub connections: u64,
    /// The most records that a node held.
    pub held: usize,
}

/// What the nodes of a scenario share.
struct Shared {
    scenario: StoreScenario,
    chance: Chance,
    time: Time,
    database: Arc<Database>,
    /// The keys that replicas copy.
    sorted: Arc<[(KeyDigest, u64)]>,
    figures: Mutex<StoreFigures>,
    seen: Mutex<Vec<u64>>,
}

/// A node, by its number, and its store.
struct StoreNode {
    number: u64,
    store: Arc<dyn KeyStore>,
    held: Box<dyn Fn() -> usize>,
}

impl StoreScenario {
    /// Runs the scenario.
    ///
    /// # Panics
    ///
    /// If the runtime cannot be built.
    pub fn run(&self, seed: u64) -> StoreFigures {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(self.play(Chance::new(seed)))
    }

    async fn play(&self, chance: Chance) -> StoreFigures {
        let time = Time::begin();
        let network = Arc::new(Network::new(chance.of(&[1]), self.cuts.clone()));
        let (keys, failovers) = (PaperKeys { count: self.keys }, self.failovers.clone());
        let database = Database::start(keys, time, network, chance.of(&[4]), failovers);
        let shared = Arc::new(Shared {
            scenario: self.clone(),
            chance,
            time,
            database: Arc::clone(&database),
            sorted: match self.mode {
                StoreMode::Cached => Arc::default(),
                StoreMode::Replica => NodeFeed::sorted(&database),
            },
            figures: Mutex::default(),
            seen: Mutex::default(),
        });
        let nodes: Vec<_> = (0..self.nodes).map(|number| shared.node(number)).collect();
        for node in &nodes {
            tokio::spawn(Arc::clone(&shared).serve(node.number, Arc::clone(&node.store)));
        }
        let stores = nodes.iter().map(|node| Arc::clone(&node.store)).collect();
        tokio::spawn(Arc::clone(&shared).revoke(stores));
        time.reach(self.from).await;
        let before = database.counts();
        time.reach(self.lasts).await;
        let (after, seconds) = (database.counts(), (self.lasts - self.from) as f64 / 1_000.0);
        let mut seen = shared.seen.lock().unwrap().clone();
        seen.sort_unstable();
        let part = |part: f64| {
            let last = seen.len().saturating_sub(1) as f64;
            seen.get((last * part).ceil() as usize).copied().unwrap_or(0)
        };
        let figures = *shared.figures.lock().unwrap();
        StoreFigures {
            seen: [part(0.5), part(0.99), part(1.0)],
            statements: (after.statements - before.statements) as f64 / seconds,
            busiest: after.busiest,
            notices: (after.notices - before.notices) as f64 / seconds,
            connections: after.most_connections + after.listeners,
            held: nodes.iter().map(|node| (node.held)()).max().unwrap_or(0),
            ..figures
        }
    }
}

impl Shared {
    /// Creates a node.
    fn node(&self, number: u64) -> StoreNode {
        let chance = self.chance.of(&[2, number]);
        let drift = (chance.fraction(&[3]) - 0.5) * 2.0 * self.scenario.drift as f64;
        let clock = DriftingClock::new(self.time, drift as i64, Arc::new([]));
        let pool = Arc::new(Semaphore::new(4));
        let database = Arc::clone(&self.database);
        let store = NodeStore { node: number, database, pool };
        match self.scenario.mode {
            StoreMode::Cached => self.cached(number, store, clock),
            StoreMode::Replica => self.replica(number, store, clock),
        }
    }

    fn cached(&self, number: u64, store: NodeStore, clock: impl Clock) -> StoreNode {
        // There is room for all records, because which one would leave depends on chance.
        let listener = Listener::new(number, Arc::clone(&self.database), Arc::clone(&store.pool));
        let builder = Cached::builder(store).capacity(32_768, 1_024).clock(clock);
        let cached = builder.grace(self.scenario.grace).build();
        tokio::spawn(cached.listen(listener));
        let held = cached.clone();
        StoreNode { number, store: Arc::new(cached), held: Box::new(move || held.len()) }
    }

    fn replica(&self, number: u64, store: NodeStore, clock: impl Clock) -> StoreNode {
        let NodeStore { node, database, pool } = store;
        let feed = NodeFeed::new(node, database, pool, Arc::clone(&self.sorted));
        let seed = self.chance.number(&[9, number]);
        let builder = Replica::builder(feed).clock(clock).jitter_seed(seed);
        let builder = builder.when_stale(WhenStale::ServeFor(self.scenario.grace));
        let replica = builder.build().expect("the settings are valid");
        tokio::spawn(replica.follow());
        let held = replica.clone();
        StoreNode { number, store: Arc::new(replica), held: Box::new(move || held.len()) }
    }

    /// Makes the requests of a node.
    async fn serve(self: Arc<Self>, number: u64, store: Arc<dyn KeyStore>) {
        let chance = self.chance.of(&[5, number]);
        let mut next = 0.0;
        for request in 0.. {
            let fraction = 1.0 - chance.fraction(&[request, 1]);
            next += -fraction.ln() * 1_000.0 / self.scenario.rate;
            if next as u64 >= self.scenario.lasts {
                return;
            }
            if next as u64 > self.time.now() {
                self.time.reach(next as u64).await;
            }
            let any = chance.number(&[request, 2]);
            let key = if chance.fraction(&[request, 3]) < self.scenario.others {
                any % self.scenario.keys
            } else {
                self.busy_key(any)
            };
            self.look_up(key, &store);
        }
    }

    /// Returns one of the busy keys, which are spread over all keys.
    fn busy_key(&self, any: u64) -> u64 {
        self.chance.number(&[6, any % self.scenario.busy_keys]) % self.scenario.keys
    }

    fn look_up(self: &Arc<Self>, key: u64, store: &Arc<dyn KeyStore>) {
        let (shared, began) = (Arc::clone(self), self.time.now());
        let reply = store.find(&self.database.keys.digest(key));
        when_known(reply, move |answer| {
            let now = shared.time.now();
            if now < shared.scenario.from {
                return;
            }
            let stale = shared.staleness(key, &answer);
            shared.note_staleness(stale.unwrap_or(0));
            let mut figures = shared.figures.lock().unwrap();
            figures.requests += 1;
            figures.failed += u64::from(answer.is_err());
            figures.waited += u64::from(now > began);
        });
    }

    fn note_staleness(&self, stale: u64) {
        let mut figures = self.figures.lock().unwrap();
        figures.stalest = figures.stalest.max(stale);
    }

    /// Returns for how long an answer has differed from the database.
    fn staleness(
        &self,
        key: u64,
        answer: &Result<Option<SharedRecord>, StoreError>,
    ) -> Option<u64> {
        let found = answer.as_ref().ok()?;
        let revoked = found.as_ref().is_none_or(|record| record.is_revoked());
        self.database.staleness(key, revoked)
    }

    /// Revokes busy keys, and looks when some of the nodes let them pass no longer.
    async fn revoke(self: Arc<Self>, stores: Vec<Arc<dyn KeyStore>>) {
        let pause = 1_000.0 / self.scenario.revocations;
        for round in 1.. {
            self.time.reach((pause * round as f64) as u64).await;
            let key = self.busy_key(self.chance.number(&[7, round]));
            if !self.database.revoke(key) || self.time.now() < self.scenario.from {
                continue;
            }
            for look in 0..10 {
                let node = self.chance.number(&[8, round, look]) % stores.len() as u64;
                let store = Arc::clone(&stores[node as usize]);
                tokio::spawn(Arc::clone(&self).watch(key, store));
            }
        }
    }

    /// Asks a node for a revoked key until it does not let the key pass.
    async fn watch(self: Arc<Self>, key: u64, store: Arc<dyn KeyStore>) {
        let began = self.time.now();
        loop {
            let asked = self.time.now();
            let answer = store.find(&self.database.keys.digest(key)).await;
            let Some(stale) = self.staleness(key, &answer) else {
                // A node that answers 503 lets the key not pass.
                self.seen.lock().unwrap().push(asked - began);
                return;
            };
            self.note_staleness(stale);
            self.time.reach(self.time.now() + 1).await;
        }
    }
}
