//! The calls to a cluster, each to the primary of its account.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::lookout;
use super::slot_map::{Shard, SlotMap, slot};
use crate::breaker::Breaker;
use crate::call::Call;
use crate::dialer::Dialer;
use crate::endpoint::{Address, Endpoint};
use crate::failure::Failure;
use crate::greeting::ServerRole;
use crate::home::Home;
use crate::link::Link;
use crate::redirect::Redirect;

/// The times that a call is sent to another node at most.
const REDIRECTS: usize = 8;
/// The pause before a call is made again whose keys are on two nodes.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// A cluster: a link for each primary.
pub(crate) struct Cluster {
    /// How the limiter logs in at each node.
    login: Endpoint,
    /// The nodes of the URLs.
    pub(super) seeds: Vec<Endpoint>,
    pub(super) timeout: Duration,
    patience: u32,
    home: Home,
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
}

impl Cluster {
    /// Creates a cluster, with the endpoints of some of its nodes. At all nodes the limiter logs in as at `login`.
    pub(crate) fn new(
        login: Endpoint,
        seeds: Vec<Endpoint>,
        timeout: Duration,
        patience: u32,
    ) -> Self {
        let (state, trouble) = (watch::Sender::new(MapState::Unused), Arc::new(Notify::new()));
        let (home, asked) = (Home::here(), AtomicUsize::new(0));
        Self { login, seeds, timeout, patience, home, state, trouble, asked }
    }

    /// Returns the runtime of the cluster's tasks.
    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// Calls a script on the primary that has the slot of its keys. Follows a slot that moved or is moving. The node
    /// that says so has not run the call, so each call may follow, also one that must not be repeated.
    pub(crate) async fn call(self: &Arc<Self>, call: &Call<'_>) -> Result<Vec<i64>, Failure> {
        let began = Instant::now();
        let left = || self.timeout.saturating_sub(began.elapsed());
        let slot = slot(call.key().unwrap_or_default());
        let owner = || async {
            let map = tokio::time::timeout(left(), self.map()).await;
            let map = map.unwrap_or(Err(Failure::Timeout(self.timeout)))?;
            map.shard(slot).cloned().ok_or(Failure::NoPrimary)
        };
        let mut shard = match self.known() {
            Some(map) => map.shard(slot).cloned().ok_or(Failure::NoPrimary),
            None => owner().await,
        };
        if shard.is_err() {
            self.trouble.notify_one();
        }
        let (mut is_asking, mut last) = (false, Failure::NoPrimary);
        for _ in 0..=REDIRECTS {
            let left = left();
            if left.is_zero() {
                return Err(Failure::Timeout(self.timeout));
            }
            let here = shard?;
            last = match here.link.call(call, is_asking, left).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let redirect = last.redirect();
            is_asking = matches!(redirect, Some(Redirect::Ask { .. }));
            shard = match redirect {
                Some(Redirect::Moved { slot, to }) => {
                    self.trouble.notify_one();
                    Ok(self.moved(slot, &to.address(&here.address)))
                }
                Some(Redirect::Ask { to }) => Ok(self.shard_at(&to.address(&here.address))),
                Some(Redirect::TryAgain) => {
                    tokio::time::sleep(TRY_AGAIN.min(left)).await;
                    owner().await
                }
                None => {
                    if last.is_of_server() {
                        self.trouble.notify_one();
                    }
                    return Err(last);
                }
            };
        }
        Err(last)
    }

    /// Waits until all primaries are connected, or one is known to be down.
    pub(crate) async fn check(self: &Arc<Self>) -> Result<(), Failure> {
        for shard in self.map().await?.primaries() {
            shard.link.check().await?;
        }
        Ok(())
    }

    /// Returns the map if it is known.
    fn known(&self) -> Option<Arc<SlotMap>> {
        match &*self.state.borrow() {
            MapState::Known(map) => Some(Arc::clone(map)),
            _ => None,
        }
    }

    /// Waits until the map is known, or no node has answered.
    async fn map(self: &Arc<Self>) -> Result<Arc<SlotMap>, Failure> {
        let mut states = self.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                MapState::Known(map) => return Ok(Arc::clone(map)),
                MapState::Failed(cause) => return Err(Failure::down(cause)),
                MapState::Unused | MapState::Looking => {}
            }
            let begin = |state: &mut MapState| {
                let unused = matches!(state, MapState::Unused);
                if unused {
                    *state = MapState::Looking;
                }
                unused
            };
            if self.state.send_if_modified(begin) {
                // Without a runtime the task is dropped, which sets the state.
                let _ = self.home.spawn(lookout::follow(self));
            } else if states.changed().await.is_err() {
                return Err(Failure::RuntimeEnded);
            }
        }
    }

    /// Notes that a slot has moved, and returns its shard.
    fn moved(&self, slot: u16, to: &Address) -> Arc<Shard> {
        self.change(to, |map, shard| map.moves(slot, shard))
    }

    fn shard_at(&self, address: &Address) -> Arc<Shard> {
        self.change(address, |_, _| {})
    }

    /// Changes the map, if it does not know the shard in this way yet.
    fn change(&self, at: &Address, change: impl FnOnce(&mut SlotMap, Arc<Shard>)) -> Arc<Shard> {
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
        found.unwrap_or_else(|| Arc::new(Shard { address: at.clone(), link: self.link(at) }))
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

impl Drop for Cluster {
    fn drop(&mut self) {
        // The task sees that the cluster has gone.
        self.trouble.notify_one();
    }
}
