//! The slots of a cluster, and the links to the primaries that have them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crc::{CRC_16_XMODEM, Crc};

use super::topology::{SLOTS, Topology};
use crate::address::Address;
use crate::link::Link;

static CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// A node of a cluster, and the link to it.
#[derive(Clone)]
pub(super) struct ClusterShard {
    pub(super) address: Address,
    pub(super) link: Arc<Link>,
}

/// The shards of a cluster, by slot.
#[derive(Clone, Default)]
pub(super) struct SlotMap {
    topology: Option<Arc<Topology>>,
    /// The last slot of each range, in order, with the first one and the shard.
    ranges: Vec<(u16, u16, Arc<ClusterShard>)>,
    /// The slots that have moved since the ranges were read.
    moved: HashMap<u16, Arc<ClusterShard>>,
    /// All shards, with those that have no slot yet.
    shards: HashMap<Address, Arc<ClusterShard>>,
}

/// Returns the slot of a Redis key: the checksum of the tag in braces, or of the whole key.
pub(super) fn slot(key: &[u8]) -> u16 {
    CRC.checksum(tag(key).unwrap_or(key)) % SLOTS
}

fn tag(key: &[u8]) -> Option<&[u8]> {
    let begin = key.iter().position(|byte| *byte == b'{')? + 1;
    let rest = key.get(begin..)?;
    let tag = rest.get(..rest.iter().position(|byte| *byte == b'}')?)?;
    (!tag.is_empty()).then_some(tag)
}

impl SlotMap {
    /// Creates the map of a topology. Keeps the links of this map, and makes new ones with `link`.
    pub(super) fn after(
        &self,
        topology: Topology,
        mut link: impl FnMut(&Address) -> Arc<Link>,
    ) -> Self {
        // A node that takes its first slot is asked before it has one. It stays until the slots change.
        let unchanged =
            self.topology.as_deref().is_some_and(|known| known.primaries == topology.primaries);
        let mut shards = if unchanged { self.shards.clone() } else { HashMap::new() };
        let mut ranges = Vec::with_capacity(topology.primaries.len());
        for (first, last, address) in &topology.primaries {
            let shard = shards.entry(address.clone()).or_insert_with(|| {
                let known = self.shards.get(address).cloned();
                known.unwrap_or_else(|| {
                    Arc::new(ClusterShard { address: address.clone(), link: link(address) })
                })
            });
            ranges.push((*last, *first, Arc::clone(shard)));
        }
        ranges.sort_unstable_by_key(|(last, ..)| *last);
        Self { topology: Some(Arc::new(topology)), ranges, moved: HashMap::new(), shards }
    }

    /// Returns what the node said of which this is the map.
    pub(super) fn topology(&self) -> Option<&Topology> {
        self.topology.as_deref()
    }

    /// Returns the shard of a slot, if a primary has it.
    pub(super) fn shard(&self, slot: u16) -> Option<&Arc<ClusterShard>> {
        if !self.moved.is_empty()
            && let Some(shard) = self.moved.get(&slot)
        {
            return Some(shard);
        }
        let index = self.ranges.partition_point(|(last, ..)| *last < slot);
        let (_, first, shard) = self.ranges.get(index)?;
        (*first <= slot).then_some(shard)
    }

    /// Returns the shard at an address, if it is known.
    pub(super) fn known_at(&self, address: &Address) -> Option<&Arc<ClusterShard>> {
        self.shards.get(address)
    }

    /// Returns the shard at an address, made with `link` if it is not known.
    pub(super) fn shard_at(
        &mut self,
        address: &Address,
        link: impl FnOnce(&Address) -> Arc<Link>,
    ) -> Arc<ClusterShard> {
        if !self.shards.contains_key(address) {
            self.drop_unused();
        }
        let shard = self.shards.entry(address.clone());
        let made = || Arc::new(ClusterShard { address: address.clone(), link: link(address) });
        Arc::clone(shard.or_insert_with(made))
    }

    /// Drops the shards that have no slot and are down. A node named one of them once.
    fn drop_unused(&mut self) {
        let Self { ranges, moved, shards, .. } = self;
        let with_slots = ranges.iter().map(|(.., shard)| shard).chain(moved.values());
        let with_slots: HashSet<_> = with_slots.map(|shard| &shard.address).collect();
        shards.retain(|address, shard| with_slots.contains(address) || !shard.link.is_down());
    }

    /// Called when a slot has moved to a shard.
    pub(super) fn moves(&mut self, slot: u16, to: Arc<ClusterShard>) {
        self.moved.insert(slot, to);
    }

    /// Returns the shards that have slots.
    pub(super) fn primaries(&self) -> impl Iterator<Item = &Arc<ClusterShard>> {
        let mut seen = HashSet::new();
        self.ranges.iter().map(|(.., shard)| shard).filter(move |shard| seen.insert(&shard.address))
    }

    /// Returns the addresses of the replicas.
    pub(super) fn replicas(&self) -> &[Address] {
        self.topology.as_deref().map_or(&[], |topology| &topology.replicas)
    }

    /// Returns true if a slot has no primary, or the link to a primary is down.
    pub(super) fn is_troubled(&self) -> bool {
        let slots = self.ranges.iter().map(|(last, first, _)| u64::from(last.abs_diff(*first)) + 1);
        slots.sum::<u64>() < u64::from(SLOTS)
            || self.ranges.iter().any(|(.., shard)| shard.link.is_down())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::breaker::Breaker;
    use crate::dialer::Dialer;
    use crate::endpoint::Endpoint;
    use crate::failure::Failure;
    use crate::greeting::ServerRole;
    use crate::home::Home;
    use crate::link::LinkState;

    #[test]
    fn a_slot_is_of_the_tag_or_of_the_whole_key() {
        // As `CLUSTER KEYSLOT` answers.
        for (key, expected) in [
            ("123456789", 12_739),
            ("foo", 12_182),
            ("tower-api-key:{foo}", 12_182),
            ("{foo}:key:{bar}", 12_182),
            ("foo{}{bar}", slot(b"foo{}{bar}")),
            ("", 0),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
        assert_ne!(slot(b"foo{}{bar}"), slot(b"bar"));
    }

    #[tokio::test]
    async fn shards_that_have_no_slot_and_are_down_do_not_pile_up() {
        let link = |address: &Address| {
            let endpoint = Endpoint::new("redis://127.0.0.1").unwrap().at(address);
            let dialer = Dialer::Server(Arc::new(endpoint), ServerRole::Node);
            let timeout = Duration::from_millis(50);
            Arc::new(Link::new(dialer, timeout, Breaker::new(1), Home::here()))
        };
        let at = |port| ("127.0.0.1".to_owned(), port);
        let (is_ok, epoch, replicas) = (true, 1, Vec::new());
        let topology = Topology { primaries: vec![(0, 9, at(1))], replicas, is_ok, epoch };
        let mut map = SlotMap::default().after(topology, link);
        let (asked, moved) = (map.shard_at(&at(2), link), map.shard_at(&at(3), link));
        map.moves(12, Arc::clone(&moved));
        for shard in [&asked, &moved, map.shard(0).unwrap()] {
            shard.link.state.send_replace(LinkState::Down(Arc::new(Failure::NoPrimary)));
        }
        map.shard_at(&at(4), link);
        let known = [1, 2, 3, 4].map(|port| map.known_at(&at(port)).is_some());
        assert_eq!(known, [true, false, true, true], "at 2 there is no slot");
    }
}
