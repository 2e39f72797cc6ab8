//! A batch of counts, which a sink writes once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::cell::UsageCell;
use super::hour::UsageHour;
use super::last_use::LastUse;
use crate::decision::RequestDecision;
use crate::key::KeyId;

/// What identifies a count in a batch.
type CellName = (UsageHour, Option<KeyId>, String, RequestDecision);

/// What one recorder counted since its last batch.
///
/// `writer` and `sequence` identify a batch. If a write fails, the recorder does not know whether the sink has written the
/// batch: the answer may have been lost. It then passes the same batch again, until a write succeeds. So a sink keeps the
/// highest `sequence` of each `writer` in the transaction of the counts, and skips a batch that it has already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageBatch {
    /// The recorder, by 16 random bytes. Each recorder has its own, also after a restart.
    pub writer: [u8; 16],
    /// The number of the batch. Each batch of a recorder has a higher number than the one before.
    pub sequence: u64,
    /// The counts, sorted by hour, key, route and decision. No two are of the same hour, key, route and decision.
    pub cells: Vec<UsageCell>,
    /// The last use of each key that was admitted, sorted by key.
    pub last_uses: Vec<(KeyId, LastUse)>,
}

impl UsageBatch {
    /// Makes a batch. Adds up the counts of the same hour, key, route and decision, and keeps the latest use of each key.
    pub fn new(
        writer: [u8; 16],
        sequence: u64,
        cells: impl IntoIterator<Item = UsageCell>,
        uses: impl IntoIterator<Item = (KeyId, LastUse)>,
    ) -> Self {
        let (mut sums, mut last_uses) = (BTreeMap::<CellName, UsageCell>::new(), BTreeMap::new());
        for cell in cells {
            let name = (cell.hour, cell.key.clone(), cell.route.clone(), cell.decision);
            match sums.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(cell)),
                Entry::Occupied(mut entry) => {
                    let sum = entry.get_mut();
                    sum.requests = sum.requests.saturating_add(cell.requests);
                }
            }
        }
        for (key, used) in uses {
            let last: &mut LastUse = last_uses.entry(key).or_insert(used);
            if last.at < used.at {
                *last = used;
            }
        }
        let (cells, last_uses) = (sums.into_values().collect(), last_uses.into_iter().collect());
        Self { writer, sequence, cells, last_uses }
    }

    /// Returns the number of requests in the batch.
    pub fn requests(&self) -> u64 {
        self.cells.iter().map(|cell| cell.requests).sum()
    }
}
