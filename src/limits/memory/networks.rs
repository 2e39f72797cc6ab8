//! The meters of networks, in memory that networks share with no account.

use std::hash::{BuildHasher, RandomState};

use super::super::limiter::{Charge, ChargeMode, Refund};
use super::meter::Meter;
use super::meters::Meters;
use super::network_shard::NetworkShard;
use super::site_counts::SitePlace;
use crate::caller::ClientNetwork;
use crate::clock::Timestamp;
use crate::quota::{Per, Verdict};
use crate::sync::{self, Mutex, MutexGuard, lock};

/// The number of shards, which threads can use at the same time.
const SHARDS: usize = sync::size(16, 1);

/// The meters of networks. A network is found by a hash that no client can compute, so no address is stored.
#[derive(Debug)]
pub(super) struct NetworkMeters {
    shards: Box<[Mutex<NetworkShard>]>,
    /// Counts the networks together that find no room.
    others: Mutex<Meter>,
    hasher: RandomState,
    /// The most networks of a shard.
    most: usize,
}

/// The error for a quota that counts by key, which a network does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "a quota counts by key, and the caller is a network: count by account, which is the default"
)]
pub(super) struct NoKey;

impl NetworkMeters {
    pub(super) fn with_capacity(networks: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            others: Mutex::default(),
            hasher: RandomState::new(),
            most: networks.div_ceil(SHARDS),
        }
    }

    /// Returns the number of networks with a meter of their own.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Charges a request of a network.
    pub(super) fn charge(
        &self,
        network: ClientNetwork,
        charge: &Charge<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), NoKey> {
        if charge.quotas.count_by(Per::Key) {
            return Err(NoKey);
        }
        let mut take =
            |meter: &mut Meter| Meters { account: Some(meter), key: None }.charge(charge, verdict);
        let hash = self.hasher.hash_one(network);
        let mut shard = self.shard(hash);
        if let Some(meter) = shard.get(hash) {
            take(meter);
            return Ok(());
        }
        let site = SitePlace::of(self.hasher.hash_one(network.site()));
        if !shard.has_room(self.most, site, charge.now) {
            drop(shard);
            take(&mut lock(&self.others));
            // Marks what `refund` must not give back.
            verdict.set_taken_at(Timestamp::default());
            verdict.set_counted_together();
        } else if charge.mode == ChargeMode::Peek {
            take(&mut Meter::default());
        } else {
            let mut meter = Meter::default();
            take(&mut meter);
            shard.insert(hash, site, meter);
        }
        Ok(())
    }

    /// Gives a cost back to a network that had a meter of its own when it was charged. The networks that count
    /// together get nothing back: one of them may have a meter of its own by now.
    pub(super) fn refund(
        &self,
        network: ClientNetwork,
        refund: &Refund<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), NoKey> {
        let quotas = refund.charge.quotas;
        if refund.verdict.taken_at().is_none() || quotas.count_by(Per::Key) {
            return self.charge(network, &refund.peek(), verdict);
        }
        let hash = self.hasher.hash_one(network);
        let mut shard = self.shard(hash);
        // A meter that is no more was idle, so nothing is left to give back.
        let mut idle = None;
        let meter = match shard.get(hash) {
            Some(meter) => meter,
            None => idle.get_or_insert_default(),
        };
        Meters { account: Some(meter), key: None }.refund(refund, verdict);
        Ok(())
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, NetworkShard> {
        // The table itself uses the low bits and the highest bits.
        let index = (hash >> 32) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS shards")]
        lock(&self.shards[index])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::caller::Caller;
    use crate::quota::{AppliedQuotas, Quota};

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const ONE: Quota = Quota::new("minute", 1, MINUTE);

    fn network(number: u32) -> ClientNetwork {
        // Each is of another site.
        ClientNetwork::of(std::net::Ipv4Addr::from_bits(number << 8).into())
    }

    fn network_of_site(site: u16, number: u16) -> ClientNetwork {
        ClientNetwork::of([0x2001, 0xdb8, site, number, 0, 0, 0, 1].into())
    }

    /// Charges a request, and returns true if it passes.
    fn ask(
        meters: &NetworkMeters,
        network: ClientNetwork,
        mode: ChargeMode,
        now: Timestamp,
    ) -> bool {
        let quotas = AppliedQuotas { general: &[ONE], route: &[] };
        let mut verdict = Verdict::passed();
        let charge = Charge { caller: Caller::Network(&network), quotas, cost: 1, mode, now };
        meters.charge(network, &charge, &mut verdict).unwrap();
        verdict.retry_after().is_none()
    }

    fn passes(meters: &NetworkMeters, number: u32, now: Timestamp) -> bool {
        ask(meters, network(number), ChargeMode::IfAllowed, now)
    }

    #[test]
    fn few_sites_leave_room_for_others() {
        let meters = NetworkMeters::with_capacity(16_000);
        let flood = |site| {
            for number in 0..20_000 {
                ask(&meters, network_of_site(site, number), ChargeMode::IfAllowed, START);
            }
        };
        for (site, most) in [(1, 1_792), (2, 3_392)] {
            flood(site);
            assert!(meters.len() <= most, "{} by site {site}", meters.len());
        }
        let before = meters.len();
        for number in 0..1_000 {
            passes(&meters, number, START);
        }
        // A site has the place of one of the two by chance, one in 2,048.
        let own = meters.len() - before;
        assert!(own >= 990, "{own} of 1,000 have counters of their own");
    }

    #[test]
    fn networks_without_room_count_together_until_others_are_idle() {
        let meters = NetworkMeters::with_capacity(100 * SHARDS);
        let passed = (0..10_000).filter(|number| passes(&meters, *number, START)).count();
        assert_eq!(meters.len(), 100 * SHARDS, "every shard is full");
        assert_eq!(passed, meters.len() + 1, "each once, and one of all the others");
        assert!((0..10_000).all(|number| !passes(&meters, number, START)));
        let over = START.plus(MINUTE);
        // A shard forgets at its next newcomer. With this many, one without any would be a chance of one in 10^10.
        assert!((20_000..20_400).all(|number| passes(&meters, number, over)));
        assert_eq!(meters.len(), 400, "the idle ones are forgotten");
    }

    #[test]
    fn without_memory_all_networks_count_together() {
        let meters = NetworkMeters::with_capacity(0);
        assert!(meters.len() == 0 && passes(&meters, 1, START), "all count together");
        assert!(!passes(&meters, 2, START) && meters.len() == 0);
    }

    #[test]
    fn a_refund_reaches_only_the_counter_that_was_charged() {
        let day = [Quota::by_day("day", 10)];
        let quotas = AppliedQuotas { general: &day, route: &[] };
        let meters = NetworkMeters::with_capacity(SHARDS);
        let (all, later) = (meters.most * SHARDS, START.plus(Duration::from_secs(2)));
        // Networks with a short window fill the limiter.
        let second = [Quota::new("second", 1, Duration::from_secs(1))];
        for number in 0..1_000 {
            let (network, mut verdict) = (network(number), Verdict::passed());
            let quotas = AppliedQuotas { general: &second, route: &[] };
            let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
            let charge = Charge { caller, quotas, cost: 1, mode, now: START };
            meters.charge(network, &charge, &mut verdict).unwrap();
        }
        assert_eq!(meters.len(), all);
        let network = network(2_000);
        let charge = |cost, now| {
            let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
            Charge { caller, quotas, cost, mode, now }
        };
        let ask = |charge: Charge<'_>| {
            let mut verdict = Verdict::passed();
            meters.charge(network, &charge, &mut verdict).unwrap();
            verdict
        };
        let give_back = |charge, verdict: &Verdict| {
            let refund = Refund { charge, verdict, cost: 9, now: later };
            let mut verdict = Verdict::passed();
            meters.refund(network, &refund, &mut verdict).unwrap();
            verdict.statuses()[0].remaining()
        };
        let (together, alone) = (charge(4, START), charge(3, later));
        let with_others = ask(together);
        assert_eq!((with_others.taken_at(), with_others.statuses()[0].remaining()), (None, 6));
        // By now there is room for a counter of its own, to which the first charge never came.
        let by_itself = ask(alone);
        assert_eq!((by_itself.taken_at(), by_itself.statuses()[0].remaining()), (Some(later), 7));
        assert_eq!(give_back(together, &with_others), 7);
        assert_eq!(give_back(alone, &by_itself), 10);
        // A network without a counter has nothing to get back, and gets no counter.
        let before = meters.len();
        let (stranger, mut verdict) = (self::network(3_000), Verdict::passed());
        let refund = Refund { charge: alone, verdict: &by_itself, cost: 3, now: later };
        meters.refund(stranger, &refund, &mut verdict).unwrap();
        assert_eq!((verdict.statuses()[0].remaining(), meters.len()), (10, before));
    }

    #[test]
    fn a_peek_keeps_nothing() {
        let meters = NetworkMeters::with_capacity(1_000);
        assert!(ask(&meters, network(1), ChargeMode::Peek, START) && meters.len() == 0);
        assert!(passes(&meters, 1, START) && meters.len() == 1);
        assert!(!ask(&meters, network(1), ChargeMode::Peek, START));
    }

    #[test]
    fn a_quota_that_counts_by_key_is_refused() {
        let meters = NetworkMeters::with_capacity(1_000);
        let (network, by_key) = (network(1), [ONE.with_per(Per::Key)]);
        let quotas = AppliedQuotas { general: &[], route: &by_key };
        let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
        let charge = Charge { caller, quotas, cost: 1, mode, now: START };
        assert!(meters.charge(network, &charge, &mut Verdict::passed()).is_err());
    }

    /// A table has at most twice the places that it needs, and is full at seven eighths.
    #[test]
    fn a_network_takes_at_most_300_bytes() {
        assert!((size_of::<(u64, Meter)>() + 1) * 2 * 8 / 7 <= 300);
    }
}
