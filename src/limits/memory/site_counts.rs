//! How many networks of each site are counted, so that few sites cannot take all the memory.

/// A site gets one more counter while it has less than this part of those that are free.
const PART: usize = 8;

/// The places that sites share. Which site has which place depends on a secret seed.
const PLACES: u16 = 4096;

/// The place of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SitePlace(u16);

/// The number of counted networks by site.
#[derive(Debug, Default)]
pub(super) struct SiteCounts(Vec<u32>);

impl SitePlace {
    /// Returns the place of a site with this hash, which no client can compute.
    pub(super) const fn of(hash: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the places are few")]
        Self((hash % PLACES as u64) as u16)
    }

    /// Returns the place with this tag.
    pub(super) const fn from_tag(tag: u64) -> Self {
        Self::of(tag)
    }

    /// Returns the place as a number.
    pub(super) const fn tag(self) -> u64 {
        self.0 as u64
    }
}

impl SiteCounts {
    /// Returns true if a site may have one more counter while this many are free.
    pub(super) fn has_share(&self, site: SitePlace, free: usize) -> bool {
        let count = self.0.get(usize::from(site.0)).map_or(0, |count| *count as usize);
        count.saturating_mul(PART) < free
    }

    /// Counts a network of a site.
    pub(super) fn add(&mut self, site: SitePlace) {
        // Allocates nothing before a network is counted.
        self.0.resize(usize::from(PLACES), 0);
        if let Some(count) = self.0.get_mut(usize::from(site.0)) {
            *count = count.saturating_add(1);
        }
    }

    /// Counts a network of a site no more.
    pub(super) fn remove(&mut self, site: SitePlace) {
        if let Some(count) = self.0.get_mut(usize::from(site.0)) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many counters a site takes of those that are free.
    fn takes_all_it_can(counts: &mut SiteCounts, site: u64, free: usize) -> usize {
        let site = SitePlace::of(site);
        let mut taken = 0;
        while counts.has_share(site, free - taken) {
            counts.add(site);
            taken += 1;
        }
        taken
    }

    #[test]
    fn each_site_takes_a_part_of_what_the_others_left() {
        let (mut counts, mut free, mut sites) = (SiteCounts::default(), 6_250, 0);
        for expected in [695, 618, 549, 488] {
            let taken = takes_all_it_can(&mut counts, sites, free);
            assert_eq!(taken, expected);
            (free, sites) = (free - taken, sites + 1);
        }
        while free > 0 {
            free -= takes_all_it_can(&mut counts, sites, free);
            sites += 1;
        }
        assert_eq!(sites, 61, "the sites that it takes to fill a shard");
        assert_eq!(takes_all_it_can(&mut counts, 0, 0), 0);
    }

    #[test]
    fn a_network_that_is_forgotten_makes_room_for_its_site() {
        let (mut counts, site) = (SiteCounts::default(), SitePlace::of(5_000));
        counts.remove(site);
        assert!(counts.0.is_empty(), "nothing is allocated");
        assert!(counts.has_share(site, 1) && !counts.has_share(site, 0));
        counts.add(site);
        assert!(counts.has_share(site, 9) && !counts.has_share(site, 8));
        assert!(counts.has_share(SitePlace::of(1), 8), "another site");
        counts.remove(SitePlace::from_tag(site.tag()));
        assert!(counts.has_share(site, 8));
    }
}
