//! The primaries of a cluster and their slots, as a node tells them.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, from_redis_value};

use crate::address::Address;
use crate::failure::Failure;

/// The number of slots.
pub(super) const SLOTS: u16 = 16_384;

/// The primaries of a cluster and their slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topology {
    /// Each with its first and last slot.
    pub(super) primaries: Vec<(u16, u16, Address)>,
    pub(super) replicas: Vec<Address>,
    /// False if the node is cut off from the others, does not know the host of a primary, or some slots have no primary.
    pub(super) is_ok: bool,
    /// The number of the latest failover that the node knows.
    pub(super) epoch: u64,
}

impl Topology {
    /// Asks a node at an address.
    pub(super) async fn of(
        mut node: MultiplexedConnection,
        address: Address,
    ) -> Result<Self, Failure> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("CLUSTER").arg("SLOTS").cmd("CLUSTER").arg("INFO").ignore_errors();
        let answers: Vec<RedisResult<Value>> = pipeline.query_async(&mut node).await?;
        let mut answers = answers.into_iter();
        let slots = answers.next().ok_or(Failure::Nonsense)??;
        // Without permission for `CLUSTER INFO`, all nodes count as equal.
        let info = answers.next().and_then(Result::ok);
        let info = info.and_then(|info| from_redis_value::<String>(info).ok()).unwrap_or_default();
        Self::read(slots, &info, &address).ok_or(Failure::Nonsense)
    }

    fn read(slots: Value, info: &str, answering: &Address) -> Option<Self> {
        let (mut primaries, mut replicas) = (Vec::new(), Vec::new());
        let mut are_named = true;
        let ranges: Vec<Vec<Value>> = from_redis_value(slots).ok()?;
        for range in ranges {
            let mut range = range.into_iter();
            let first = number(range.next()?)?;
            let last = number(range.next()?)?;
            if first > last || last >= SLOTS {
                return None;
            }
            // The first node is the primary, also if its host is not known.
            match range.next().and_then(|node| address(node, answering)) {
                Some(primary) => primaries.push((first, last, primary)),
                None => are_named = false,
            }
            replicas.extend(range.filter_map(|node| address(node, answering)));
        }
        // Two nodes may list the same ranges in another order.
        primaries.sort_unstable();
        replicas.sort_unstable();
        replicas.dedup();
        let field = |name: &str| {
            info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
        };
        let epoch = field("cluster_current_epoch").and_then(|epoch| epoch.parse().ok());
        let is_ok = field("cluster_state").is_none_or(|state| state == "ok");
        Some(Self { primaries, replicas, is_ok: is_ok && are_named, epoch: epoch.unwrap_or(0) })
    }

    /// Returns true if the node of this topology knows the cluster better than the node of another one.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        (self.is_ok, self.epoch) > (other.is_ok, other.epoch)
    }
}

/// Reads a slot or a port. The client library would cut off larger numbers.
fn number(value: Value) -> Option<u16> {
    u16::try_from(from_redis_value::<i64>(value).ok()?).ok()
}

/// Returns the address of a node, by which this client reaches it. A node without a host has the host of the one that
/// answered.
fn address(node: Value, answering: &Address) -> Option<Address> {
    let mut fields = from_redis_value::<Vec<Value>>(node).ok()?.into_iter();
    let host: Option<String> = from_redis_value(fields.next()?).ok()?;
    let port = number(fields.next()?)?;
    match host.as_deref() {
        None | Some("" | "0.0.0.0" | "::") => Some((answering.0.clone(), port)),
        Some("?") => None,
        Some(host) => Some((host.to_owned(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), text("id")])
    }

    fn read(hosts: [Value; 2], info: &str) -> Topology {
        let [primary, replica] = hosts;
        let range = [Value::Int(0), Value::Int(99), node(primary, 1), node(replica, 2)];
        let slots = Value::Array(vec![Value::Array(range.to_vec())]);
        Topology::read(slots, info, &("here".to_owned(), 9)).unwrap()
    }

    #[test]
    fn nodes_have_their_hosts_or_the_host_that_answered() {
        let at = |host: &str, port| (host.to_owned(), port);
        for (hosts, primaries, replicas) in [
            ([text("a"), text("b")], vec![(0, 99, at("a", 1))], vec![at("b", 2)]),
            ([Value::Nil, text("")], vec![(0, 99, at("here", 1))], vec![at("here", 2)]),
            ([text("a"), text("?")], vec![(0, 99, at("a", 1))], vec![]),
            ([text("?"), text("b")], vec![], vec![at("b", 2)]),
        ] {
            let topology = read(hosts, "cluster_state:ok");
            assert_eq!(topology.is_ok, !primaries.is_empty());
            assert_eq!((topology.primaries, topology.replicas), (primaries, replicas));
        }
    }

    #[test]
    fn an_answer_with_slots_that_no_cluster_has_is_refused() {
        for (first, last, is_read) in [
            (0, 16_383, true),
            (5, 5, true),
            (5, 4, false),
            (0, 16_384, false),
            (0, 65_536, false),
            (-1, 4, false),
        ] {
            let range = [Value::Int(first), Value::Int(last), node(text("a"), 1)];
            let slots = Value::Array(vec![Value::Array(range.to_vec())]);
            let topology = Topology::read(slots, "", &("here".to_owned(), 9));
            assert_eq!(topology.is_some(), is_read, "{first} to {last}");
        }
    }

    #[test]
    fn a_node_that_is_cut_off_or_late_knows_less() {
        let of = |info: &str| read([text("a"), text("b")], info);
        let late = of("cluster_state:ok\r\ncluster_current_epoch:6\r\n");
        let well = of("cluster_state:ok\r\ncluster_current_epoch:7\r\n");
        let cut_off = of("cluster_state:fail\r\ncluster_current_epoch:9\r\n");
        assert!(well.is_better_than(&late) && late.is_better_than(&cut_off));
        assert!(!late.is_better_than(&well) && !well.is_better_than(&well));
    }
}
