//! The calls to a cluster, each to the primary of its account.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::lookout;
use super::slot::slot;
use super::slot_map::SlotMap;
use super::view::{ClusterView, MapState};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::home::Home;
use crate::link::Link;
use crate::redirect::Redirect;

/// The times that a call is sent to another node at most.
const REDIRECTS: usize = 16;
/// The pause before a call is made again whose keys are on two nodes.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// A cluster, and the calls to it. Clones share connections.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<ClusterView>);

impl Cluster {
    /// Creates a cluster, with the endpoints of some of its nodes. At all nodes the limiter logs in as at `login`.
    pub(crate) fn new(
        login: Endpoint,
        seeds: Vec<Endpoint>,
        timeout: Duration,
        patience: u32,
    ) -> Self {
        Self(Arc::new(ClusterView::new(login, seeds, timeout, patience)))
    }

    /// Returns the runtime of the cluster's tasks.
    pub(crate) fn home(&self) -> &Home {
        &self.0.home
    }

    /// Returns the longest time that a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Returns the link to the primary that has the slot of a key, if it is known.
    pub(crate) fn link(&self, key: &[u8]) -> Option<Arc<Link>> {
        let map = self.0.known()?;
        map.shard(slot(key)).map(|shard| Arc::clone(&shard.link))
    }

    /// Calls a script on the primary that has the slot of its keys. Follows a slot that moved or is moving. The node
    /// that says so has not run the call, so each call may follow, also one that must not be repeated.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Vec<i64>, Failure> {
        let began = Instant::now();
        let left = || self.0.timeout.saturating_sub(began.elapsed());
        let slot = slot(call.key().unwrap_or_default());
        let owner = || async {
            let map = tokio::time::timeout(left(), self.map()).await;
            let map = map.unwrap_or(Err(Failure::Timeout(self.0.timeout)))?;
            map.shard(slot).cloned().ok_or(Failure::NoPrimary)
        };
        let mut shard = match self.0.known() {
            Some(map) => map.shard(slot).cloned().ok_or(Failure::NoPrimary),
            None => owner().await,
        };
        if shard.is_err() {
            self.0.trouble.notify_one();
        }
        let (mut is_asking, mut redirects) = (false, 0);
        loop {
            let left = left();
            if left.is_zero() {
                return Err(Failure::Timeout(self.0.timeout));
            }
            let here = shard?;
            let failure = match here.link.call(call, is_asking, left).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let redirect = failure.redirect().filter(|_| redirects < REDIRECTS);
            is_asking = matches!(redirect, Some(Redirect::Ask { .. }));
            redirects += usize::from(!matches!(redirect, Some(Redirect::TryAgain)));
            shard = match redirect {
                Some(Redirect::Moved { slot, to }) => {
                    self.0.trouble.notify_one();
                    Ok(self.0.moved(slot, &to.address(&here.address)))
                }
                Some(Redirect::Ask { to }) => Ok(self.0.shard_at(&to.address(&here.address))),
                Some(Redirect::TryAgain) => {
                    tokio::time::sleep(TRY_AGAIN.min(left)).await;
                    owner().await
                }
                Some(Redirect::Unnamed) | None => {
                    if failure.is_of_server() {
                        self.0.trouble.notify_one();
                    }
                    return Err(failure);
                }
            };
        }
    }

    /// Waits until all primaries are connected, or one is known to be down.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        for shard in self.map().await?.primaries() {
            shard.link.check().await?;
        }
        Ok(())
    }

    /// Waits until the map is known, or no node has answered.
    async fn map(&self) -> Result<Arc<SlotMap>, Failure> {
        let (mut states, mut has_begun) = (self.0.state.subscribe(), false);
        loop {
            match &*states.borrow_and_update() {
                MapState::Known(map) => return Ok(Arc::clone(map)),
                MapState::Failed(cause) => return Err(Failure::down(cause)),
                MapState::Ended if has_begun => {
                    return Err(Failure::down(&Arc::new(Failure::RuntimeEnded)));
                }
                MapState::Unused | MapState::Looking | MapState::Ended => {}
            }
            let begin = |state: &mut MapState| {
                let begins = matches!(state, MapState::Unused | MapState::Ended);
                if begins {
                    *state = MapState::Looking;
                }
                begins
            };
            if self.0.state.send_if_modified(begin) {
                has_begun = true;
                // Without a runtime the task is dropped, which sets the state.
                let _ = self.0.home.spawn(lookout::follow(&self.0));
            } else if states.changed().await.is_err() {
                return Err(Failure::RuntimeEnded);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(50);

    #[test]
    fn a_call_restarts_the_task_that_follows_the_cluster() {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Outside of a runtime: the task runs on the one of the call.
        let seed = Endpoint::new("redis://127.0.0.1:1").unwrap();
        let cluster = Cluster::new(seed.clone(), vec![seed], TIMEOUT, 1);
        let first = runtime();
        let failure = first.block_on(cluster.map()).map(drop).unwrap_err();
        assert!(matches!(failure.cause(), Failure::Connection(..)));
        drop(first);
        assert!(matches!(*cluster.0.state.borrow(), MapState::Ended));
        let failure = runtime().block_on(cluster.map()).map(drop).unwrap_err();
        assert!(matches!(failure.cause(), Failure::Connection(..)), "the new task has looked");
    }

    #[test]
    fn a_cluster_whose_runtime_has_ended_says_so() {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let seed = Endpoint::new("redis://127.0.0.1:1").unwrap();
        let first = runtime();
        let cluster = first.block_on(async { Cluster::new(seed.clone(), vec![seed], TIMEOUT, 1) });
        drop(first);
        let failure = runtime().block_on(cluster.map()).map(drop).unwrap_err();
        assert!(matches!(failure.cause(), Failure::RuntimeEnded));
    }
}
