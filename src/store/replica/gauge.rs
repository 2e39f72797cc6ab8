//! What a monitor reads of a replica.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::shared::SharedReplica;

/// Reads the state of a replica for a monitor. It does not keep the replica in memory.
/// [`Replica::gauge`](super::Replica::gauge) returns it.
#[derive(Clone)]
pub struct ReplicaGauge(Weak<SharedReplica>);

/// The state of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaState {
    /// How long ago it was last proven that the records are up to date. `None` before the first copy.
    pub age: Option<Duration>,
    /// The number of keys.
    pub keys: usize,
    /// True if the last question to the store failed.
    pub is_failing: bool,
}

impl ReplicaGauge {
    pub(super) fn of(replica: &Arc<SharedReplica>) -> Self {
        Self(Arc::downgrade(replica))
    }

    /// Returns the state of the replica; `None` if all of its clones are dropped.
    pub fn read(&self) -> Option<ReplicaState> {
        let replica = self.0.upgrade()?;
        Some(ReplicaState {
            age: replica.freshness.age(),
            keys: replica.keys.len(),
            is_failing: replica.failure().is_some(),
        })
    }
}

impl fmt::Debug for ReplicaGauge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ReplicaGauge")
    }
}
