//! What is known of a cluster.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::slot_map::{ClusterShard, SlotMap};
use crate::address::Address;
use crate::breaker::Breaker;
use crate::dialer::Dialer;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::greeting::ServerRole;
use crate::home::Home;
use crate::link::Link;

/// A cluster as the limiter sees it: its nodes, its slots, and a link to each primary.
pub(super) struct ClusterView {
    /// How the limiter logs in at each node.
    login: Endpoint,
    /// The nodes of the URLs.
    pub(super) seeds: Vec<Endpoint>,
    pub(super) timeout: Duration,
    patience: u32,
    pub(super) home: Home,
    pub(super) state: watch::Sender<MapState>,
    /// Wakes the task that follows the cluster's changes.
    pub(super) trouble: Arc<Notify>,
    /// The nodes that were asked for the slots so far, so that others are asked next.
    pub(super) asked: AtomicUsize,
}

/// What is known of a cluster.
#[derive(Clone)]
pub(super) enum MapState {
    /// No call was made yet.
    Unused,
    /// A task asks for the slots, and calls wait for it.
    Looking,
    Known(Arc<SlotMap>),
    /// No node has answered yet, and a task asks from time to time.
    Failed(Arc<Failure>),
    /// The task has ended, with its runtime for example. The next call starts another one.
    Ended,
}

impl ClusterView {
    /// Creates a cluster, with the endpoints of some of its nodes. At all nodes the limiter logs in as at `login`.
    pub(super) fn new(
        login: Endpoint,
        seeds: Vec<Endpoint>,
        timeout: Duration,
        patience: u32,
    ) -> Self {
        let (state, trouble) = (watch::Sender::new(MapState::Unused), Arc::new(Notify::new()));
        let (home, asked) = (Home::here(), AtomicUsize::new(0));
        Self { login, seeds, timeout, patience, home, state, trouble, asked }
    }

    /// Returns the map if it is known.
    pub(super) fn known(&self) -> Option<Arc<SlotMap>> {
        match &*self.state.borrow() {
            MapState::Known(map) => Some(Arc::clone(map)),
            _ => None,
        }
    }

    /// Called when a slot has moved. Returns the shard that has it.
    pub(super) fn moved(&self, slot: u16, to: &Address) -> Arc<ClusterShard> {
        let known = self.known();
        match known.as_ref().and_then(|map| map.shard(slot)).filter(|shard| shard.address == *to) {
            Some(shard) => Arc::clone(shard),
            None => self.change(to, |map, shard| map.moves(slot, shard)),
        }
    }

    /// Returns the shard at an address.
    pub(super) fn shard_at(&self, address: &Address) -> Arc<ClusterShard> {
        let known = self.known().and_then(|map| map.known_at(address).cloned());
        known.unwrap_or_else(|| self.change(address, |_, _| {}))
    }

    /// Changes the map, and the shard at an address in it.
    fn change(
        &self,
        at: &Address,
        change: impl FnOnce(&mut SlotMap, Arc<ClusterShard>),
    ) -> Arc<ClusterShard> {
        let mut found = None;
        self.state.send_if_modified(|state| {
            let mut map = match state {
                MapState::Known(map) => SlotMap::clone(map),
                _ => SlotMap::default(),
            };
            let shard = map.shard_at(at, |address| self.link(address));
            change(&mut map, Arc::clone(&shard));
            found = Some(shard);
            if let MapState::Known(known) = state {
                *known = Arc::new(map);
            }
            false
        });
        found.unwrap_or_else(|| Arc::new(ClusterShard { address: at.clone(), link: self.link(at) }))
    }

    /// Makes a link to a node, which begins to connect.
    pub(super) fn link(&self, address: &Address) -> Arc<Link> {
        let dialer = Dialer::Server(Arc::new(self.endpoint(address)), ServerRole::Node);
        let breaker = Breaker::new(self.patience);
        let link = Arc::new(Link::new(dialer, self.timeout, breaker, self.home.clone()));
        link.begin();
        link
    }

    /// Returns the endpoint of a node.
    pub(super) fn endpoint(&self, address: &Address) -> Endpoint {
        self.login.at(address)
    }
}

impl Drop for ClusterView {
    fn drop(&mut self) {
        // The task sees that the cluster has gone.
        self.trouble.notify_one();
    }
}
