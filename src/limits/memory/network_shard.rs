//! A shard of the networks that are counted apart.

use std::time::Duration;

use hashbrown::HashTable;

use super::meter::Meter;
use super::site_counts::{SiteCounts, SitePlace};
use crate::clock::Timestamp;

/// The shortest time between two searches of a shard for idle networks.
const SWEEP: Duration = Duration::from_secs(1);

/// The meters of some networks, by the hashes of the networks.
#[derive(Debug, Default)]
pub(super) struct NetworkShard {
    table: HashTable<(u64, Meter)>,
    sites: SiteCounts,
    swept: Timestamp,
}

impl NetworkShard {
    /// Returns the number of networks.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the meter of a network.
    pub(super) fn get(&mut self, hash: u64) -> Option<&mut Meter> {
        self.table.find_mut(hash, |(other, _)| *other == hash).map(|(_, meter)| meter)
    }

    /// Adds a network of a site.
    pub(super) fn insert(&mut self, hash: u64, site: SitePlace, mut meter: Meter) {
        meter.account_tag = site.tag();
        self.sites.add(site);
        self.table.insert_unique(hash, (hash, meter), |(hash, _)| *hash);
    }

    /// Returns true if there is room for one more network of a site. Forgets idle networks if there is not.
    pub(super) fn has_room(&mut self, most: usize, site: SitePlace, now: Timestamp) -> bool {
        let Self { table, sites, swept } = self;
        if sites.has_share(site, most.saturating_sub(table.len())) {
            return true;
        }
        if now < *swept || now.since(*swept) >= SWEEP {
            *swept = now;
            table.retain(|(_, meter)| {
                let is_idle = meter.is_idle(now);
                if is_idle {
                    sites.remove(SitePlace::from_tag(meter.account_tag));
                }
                !is_idle
            });
        }
        sites.has_share(site, most.saturating_sub(table.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_shard_is_searched_once_a_second() {
        let start = Timestamp::from_unix_seconds(1_000_000);
        let mut shard = NetworkShard::default();
        let second = |at: u64| start.plus(Duration::from_secs(at));
        for (now, searched) in [
            (second(0), second(0)),
            (start.plus(Duration::from_millis(999)), second(0)),
            (second(1), second(1)),
            (start, start),
        ] {
            assert!(!shard.has_room(0, SitePlace::of(1), now));
            assert_eq!(shard.swept, searched, "a clock that was set back ends no searches");
        }
    }

    #[test]
    fn idle_networks_make_room_for_others_of_their_site() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let (mut shard, site) = (NetworkShard::default(), SitePlace::of(1));
        for hash in 0..4 {
            assert!(shard.has_room(100, site, Timestamp::default()));
            shard.insert(hash, site, Meter::default());
        }
        assert!(shard.has_room(36, SitePlace::of(2), Timestamp::default()));
        assert!(!shard.has_room(36, site, Timestamp::default()), "four of 32 that are free");
        assert!(shard.get(3).is_some() && shard.len() == 4);
        assert!(shard.has_room(36, site, now) && shard.len() == 0);
    }
}
