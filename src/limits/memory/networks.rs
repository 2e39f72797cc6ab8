//! The meters of networks, in memory that networks share with no account.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use hashbrown::HashTable;

use super::super::limiter::{Charge, ChargeMode};
use super::meter::Meter;
use super::meters::Meters;
use crate::caller::ClientNetwork;
use crate::clock::Timestamp;
use crate::quota::{Per, Verdict};
use crate::sync::{self, Mutex, MutexGuard, lock};

/// The number of shards, which threads can use at the same time.
const SHARDS: usize = sync::size(16, 1);

/// The shortest time between two searches of a full shard for idle networks.
const SWEEP: Duration = Duration::from_secs(1);

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

#[derive(Debug, Default)]
struct NetworkShard {
    table: HashTable<(u64, Meter)>,
    swept: Timestamp,
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
        self.shards.iter().map(|shard| lock(shard).table.len()).sum()
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
        if let Some((_, meter)) = shard.table.find_mut(hash, |(other, _)| *other == hash) {
            take(meter);
        } else if !shard.has_room(self.most, charge.now) {
            drop(shard);
            take(&mut lock(&self.others));
        } else if charge.mode == ChargeMode::Peek {
            take(&mut Meter::default());
        } else {
            let mut meter = Meter::default();
            take(&mut meter);
            shard.table.insert_unique(hash, (hash, meter), |(hash, _)| *hash);
        }
        Ok(())
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, NetworkShard> {
        // The table itself uses the low bits and the highest bits.
        let index = (hash >> 32) as usize % SHARDS;
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS shards")]
        lock(&self.shards[index])
    }
}

impl NetworkShard {
    /// Returns true if there is room for one more network. Forgets idle networks if the shard is full.
    fn has_room(&mut self, most: usize, now: Timestamp) -> bool {
        if self.table.len() >= most && (now < self.swept || now.since(self.swept) >= SWEEP) {
            self.swept = now;
            self.table.retain(|(_, meter)| !meter.is_idle(now));
        }
        self.table.len() < most
    }
}
