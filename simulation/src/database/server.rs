//! The server of the database: its history, its failovers and its counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_api_key::store::{FeedPosition, Invalidation, StoreError};

use super::keys::PaperKeys;
use crate::chance::Chance;
use crate::network::{Network, Way};
use crate::time::Time;

/// The number of the database among the servers of a network.
pub const DATABASE: u64 = 1 << 32;

/// A failover to a standby.
#[derive(Debug, Clone, Copy)]
pub struct Failover {
    /// When the connections break, in milliseconds.
    pub at: u64,
    /// When the standby accepts connections.
    pub until: u64,
    /// The standby lacks the changes of so many milliseconds before.
    pub lost: u64,
}

/// A change of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyChange {
    pub(super) sequence: u64,
    pub(super) mark: u64,
    pub(super) key: u64,
    pub(super) at: u64,
}

/// What nodes did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatabaseCounts {
    /// The statements.
    pub statements: u64,
    /// The most statements in one second.
    pub busiest: u64,
    /// The notices that were sent.
    pub notices: u64,
    /// The open connections that listen.
    pub listeners: u64,
    /// The connections in use.
    pub connections: u64,
    /// The most connections in use at the same time.
    pub most_connections: u64,
    second: u64,
    this_second: u64,
}

/// What the database holds.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) changes: Vec<KeyChange>,
    /// The keys that are revoked, and the keys that a failover made valid again, each with the instant.
    pub(super) states: BTreeMap<u64, (bool, u64)>,
    next: u64,
    /// The failovers so far.
    run: usize,
    listeners: BTreeMap<u64, UnboundedSender<(u64, Invalidation)>>,
    counts: DatabaseCounts,
}

impl History {
    /// Adds a listener of a node, or replaces it.
    pub(super) fn listen(&mut self, node: u64) -> UnboundedReceiver<(u64, Invalidation)> {
        let (sender, receiver) = unbounded_channel();
        self.listeners.insert(node, sender);
        receiver
    }

    /// Returns the run of the database, and the sequence of the latest change.
    pub(super) fn end(&self) -> (usize, u64) {
        (self.run, self.changes.last().map_or(0, |change| change.sequence))
    }

    /// Returns the place of the latest change.
    pub(super) fn position(&self) -> FeedPosition {
        let at = |change: &KeyChange| FeedPosition { sequence: change.sequence, mark: change.mark };
        self.changes.last().map_or(FeedPosition::START, at)
    }

    /// Returns true if a place belongs to this history.
    pub(super) fn has(&self, position: FeedPosition) -> bool {
        let at = self.changes.binary_search_by_key(&position.sequence, |change| change.sequence);
        position == FeedPosition::START
            || at.is_ok_and(|index| self.changes[index].mark == position.mark)
    }

    /// Returns the keys that were changed after a sequence.
    pub(super) fn keys_since(&self, sequence: u64) -> Vec<u64> {
        let from = self.changes.partition_point(|change| change.sequence <= sequence);
        self.changes[from..].iter().map(|change| change.key).collect()
    }

    /// Returns true if a key is revoked.
    pub(super) fn is_revoked(&self, key: u64) -> bool {
        self.states.get(&key).is_some_and(|state| state.0)
    }
}

/// A simulated database.
pub struct Database {
    /// Its keys.
    pub keys: PaperKeys,
    pub(super) time: Time,
    pub(super) network: Arc<Network>,
    chance: Chance,
    failovers: Vec<Failover>,
    pub(super) history: Mutex<History>,
}

impl Database {
    /// Starts a database. Its failovers are tasks of the runtime.
    pub fn start(
        keys: PaperKeys,
        time: Time,
        network: Arc<Network>,
        chance: Chance,
        failovers: Vec<Failover>,
    ) -> Arc<Self> {
        let history = Mutex::default();
        let database = Arc::new(Self { keys, time, network, chance, failovers, history });
        for failover in database.failovers.clone() {
            tokio::spawn(Arc::clone(&database).fail_over(failover));
        }
        database
    }

    async fn fail_over(self: Arc<Self>, failover: Failover) {
        self.time.reach(failover.at).await;
        let mut history = self.history.lock().unwrap();
        history.listeners.clear();
        history.run += 1;
        let kept = failover.at - failover.lost;
        let lost: Vec<u64> =
            history.changes.iter().filter(|change| change.at > kept).map(|it| it.key).collect();
        history.changes.retain(|change| change.at <= kept);
        history.next = history.changes.last().map_or(0, |change| change.sequence);
        for key in lost {
            // The answers of nodes that knew better are wrong from here on.
            history.states.insert(key, (false, failover.until));
        }
    }

    /// Revokes a key. Returns false if it is revoked already, or the database is down.
    pub fn revoke(&self, key: u64) -> bool {
        let now = self.time.now();
        let mut history = self.history.lock().unwrap();
        if self.is_down(now) || history.is_revoked(key) {
            return false;
        }
        history.next += 1;
        let sequence = history.next;
        let mark = self.chance.number(&[sequence, now]);
        history.changes.push(KeyChange { sequence, mark, key, at: now });
        history.states.insert(key, (true, now));
        let what = Invalidation::Secret(self.keys.digest(key));
        history.counts.notices += history.listeners.len() as u64;
        for (node, listener) in &history.listeners {
            let at = self.network.arrival(*node, DATABASE, Way::Back, now);
            let _ = listener.send((at, what.clone()));
        }
        true
    }

    /// Returns for how long an answer has differed from the database, in milliseconds. A key that the answer did not
    /// find counts as revoked.
    pub fn staleness(&self, key: u64, revoked: bool) -> Option<u64> {
        let history = self.history.lock().unwrap();
        let (state, since) = history.states.get(&key).copied().unwrap_or((false, 0));
        (state != revoked).then(|| self.time.now().saturating_sub(since))
    }

    /// Returns what nodes did so far.
    pub fn counts(&self) -> DatabaseCounts {
        let history = self.history.lock().unwrap();
        DatabaseCounts { listeners: history.listeners.len() as u64, ..history.counts }
    }

    fn is_down(&self, at: u64) -> bool {
        self.failovers.iter().any(|failover| (failover.at..failover.until).contains(&at))
    }

    /// Runs a statement of a node.
    pub(super) async fn run<T>(
        &self,
        node: u64,
        work: impl FnOnce(&mut History) -> T,
    ) -> Result<T, StoreError> {
        let _connection = ConnectionInUse::of(self);
        let sent = self.time.now();
        self.time.reach(self.network.arrival(node, DATABASE, Way::There, sent)).await;
        let now = self.time.now();
        let answer = (!self.is_down(now)).then(|| {
            let mut history = self.history.lock().unwrap();
            history.counts.note(now);
            work(&mut history)
        });
        self.time.reach(self.network.arrival(node, DATABASE, Way::Back, now)).await;
        let broken = self.failovers.iter().any(|it| (sent..=self.time.now()).contains(&it.at));
        answer.filter(|_| !broken).ok_or_else(|| StoreError::new("the database is down"))
    }
}

impl DatabaseCounts {
    fn note(&mut self, now: u64) {
        self.statements += 1;
        if self.second != now / 1_000 {
            (self.second, self.this_second) = (now / 1_000, 0);
        }
        self.this_second += 1;
        self.busiest = self.busiest.max(self.this_second);
    }
}

/// Counts a connection while it is in use.
pub(super) struct ConnectionInUse<'a>(&'a Database);

impl<'a> ConnectionInUse<'a> {
    fn of(database: &'a Database) -> Self {
        let counts = &mut database.history.lock().unwrap().counts;
        counts.connections += 1;
        counts.most_connections = counts.most_connections.max(counts.connections);
        Self(database)
    }
}

impl Drop for ConnectionInUse<'_> {
    fn drop(&mut self) {
        self.0.history.lock().unwrap().counts.connections -= 1;
    }
}
