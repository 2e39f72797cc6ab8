//! The task that follows the changes of a cluster.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::doubt::Doubt;
use super::slot_map::SlotMap;
use super::topology::Topology;
use super::view::{ClusterView, MapState};
use crate::backoff::Backoff;
use crate::dialer::connect;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::greeting::ServerRole;
use crate::unreachable::Unreachable;

/// The pauses between two looks while something is wrong. The first one is the shortest between any two.
const LOOKS: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
/// The nodes that are asked at the same time. One of them may be cut off from the others, or late.
const NODES: usize = 3;
/// The longest time of a look, whatever the nodes do.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest time that the task waits for a node that is connected.
const ASKING: Duration = Duration::from_millis(500);
/// The time that it waits for the others after one has answered, unless four calls take longer.
const OTHERS: Duration = Duration::from_millis(100);

/// Returns the task that looks at a cluster: now, when a call has met trouble, and from time to time until all is well.
/// It ends when the cluster is dropped.
pub(super) fn follow(cluster: &Arc<ClusterView>) -> impl Future<Output = ()> + Send + 'static {
    let (trouble, weak) = (Arc::clone(&cluster.trouble), Arc::downgrade(cluster));
    let ending = LookoutEnding(Weak::clone(&weak));
    async move {
        let _ending = ending;
        let (mut looks, mut doubt) = (0, Doubt::default());
        loop {
            let Some(cluster) = weak.upgrade() else { return };
            let is_well = look(&cluster, &mut doubt).await;
            drop(cluster);
            looks = if is_well { 0 } else { looks + 1 };
            tokio::time::sleep(LOOKS.pause(looks)).await;
            if is_well {
                trouble.notified().await;
            }
        }
    }
}

/// Looks at the cluster once. Returns true if all is well.
async fn look(cluster: &Arc<ClusterView>, doubt: &mut Doubt) -> bool {
    match ask(cluster).await {
        Ok(topology) => adopt(cluster, topology, doubt),
        Err(failure) => {
            cluster.state.send_if_modified(|state| {
                let unknown = !matches!(state, MapState::Known(_));
                if unknown {
                    *state = MapState::Failed(Arc::new(failure));
                }
                unknown
            });
            false
        }
    }
}

/// Takes over what a node says, unless what is known is better. Returns true if all is well.
fn adopt(cluster: &Arc<ClusterView>, topology: Topology, doubt: &mut Doubt) -> bool {
    let known = cluster.known();
    if !doubt.admits(&topology, known.as_deref().and_then(SlotMap::topology)) {
        return false;
    }
    let (is_ok, mut is_well) = (topology.is_ok, false);
    cluster.state.send_modify(|state| {
        let nothing = SlotMap::default();
        let known = match state {
            MapState::Known(map) => map,
            _ => &nothing,
        };
        let map = known.after(topology, |address| cluster.link(address));
        is_well = is_ok && !map.is_troubled();
        *state = MapState::Known(Arc::new(map));
    });
    is_well
}

/// Asks some nodes, and believes the one that knows the cluster best.
async fn ask(cluster: &ClusterView) -> Result<Topology, Failure> {
    let nodes = nodes(cluster);
    let begin = cluster.asked.fetch_add(NODES, Ordering::Relaxed);
    let mut asked = JoinSet::new();
    for node in nodes.iter().cycle().skip(begin % nodes.len().max(1)).take(nodes.len().min(NODES)) {
        let (node, timeout) = (node.clone(), cluster.timeout);
        asked.spawn(node.topology(timeout));
    }
    let is_known = cluster.known().is_some();
    let (mut best, mut failure) = (None::<Topology>, Failure::NoPrimary);
    let mut until = Instant::now() + LONGEST;
    while let Ok(Some(answer)) = timeout_at(until, asked.join_next()).await {
        match answer.unwrap_or(Err(Failure::RuntimeEnded)) {
            // Requests wait for the first map.
            Ok(topology) if !is_known && topology.is_ok => return Ok(topology),
            Ok(topology) => {
                until = until.min(Instant::now() + grace(cluster.timeout));
                if best.as_ref().is_none_or(|best| topology.is_better_than(best)) {
                    best = Some(topology);
                }
            }
            Err(error) => failure = error,
        }
    }
    best.ok_or(failure)
}

/// Returns the time that the task waits for the other nodes after one has answered. A node without a connection needs
/// several round trips.
fn grace(timeout: Duration) -> Duration {
    OTHERS.max(timeout.saturating_mul(4)).min(LONGEST)
}

/// A node that can be asked.
#[derive(Clone)]
struct Node {
    endpoint: Endpoint,
    /// The link's connection, if the limiter has one.
    connection: Option<redis::aio::MultiplexedConnection>,
}

impl Node {
    async fn topology(self, timeout: Duration) -> Result<Topology, Failure> {
        let connection = match self.connection {
            Some(connection) => connection,
            None => connect(&self.endpoint, ServerRole::Node, timeout).await?.0,
        };
        let address = self.endpoint.address().ok_or(Failure::NoPrimary)?;
        let asking = tokio::time::timeout(ASKING.max(timeout), Topology::of(connection, address));
        asking.await.unwrap_or(Err(Failure::Connection(Unreachable::TimedOut, None)))
    }
}

/// Returns the nodes that can be asked: primaries, replicas, and the nodes of the URLs.
fn nodes(cluster: &ClusterView) -> Vec<Node> {
    let seeds = cluster.seeds.iter();
    let mut nodes: Vec<Node> =
        seeds.map(|seed| Node { endpoint: seed.clone(), connection: None }).collect();
    if let MapState::Known(map) = &*cluster.state.borrow() {
        for shard in map.primaries() {
            let connection = shard.link.connection();
            let endpoint = cluster.endpoint(&shard.address);
            nodes.push(Node { endpoint, connection });
        }
        for address in map.replicas() {
            nodes.push(Node { endpoint: cluster.endpoint(address), connection: None });
        }
    }
    nodes
}

/// Sets the state if the task ends before the cluster, for example with its runtime.
struct LookoutEnding(Weak<ClusterView>);

impl Drop for LookoutEnding {
    fn drop(&mut self) {
        if let Some(cluster) = self.0.upgrade() {
            cluster.state.send_replace(MapState::Ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_nodes_have_time_for_four_calls() {
        for (timeout, expected) in [(10, 100), (50, 200), (u64::MAX, 30_000)] {
            assert_eq!(grace(Duration::from_millis(timeout)), Duration::from_millis(expected));
        }
    }
}
