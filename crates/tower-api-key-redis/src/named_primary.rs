//! The primary that Sentinels name, and the latest one that is known.

use std::collections::HashMap;

use super::address::Address;

/// The times in a row that most Sentinels must name a primary of an earlier failover before the limiter believes it.
/// This happens if all Sentinels were set up anew.
const TIMES: u32 = 10;

/// What a Sentinel says of the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPrimary {
    pub(super) address: Address,
    /// The number of the failover that made it the primary.
    pub(super) epoch: u64,
}

/// The primary of the latest failover that any Sentinel has named so far.
#[derive(Debug, Default)]
pub(super) struct LatestPrimary {
    known: Option<NamedPrimary>,
    /// The times in a row that most Sentinels named one of an earlier failover.
    doubts: u32,
}

impl NamedPrimary {
    /// Reads the answer to `SENTINEL MASTER`.
    pub(super) fn read(fields: &HashMap<String, String>) -> Option<Self> {
        let host = fields.get("ip").filter(|host| !host.is_empty())?;
        let port = fields.get("port")?.parse().ok()?;
        let epoch = fields.get("config-epoch").and_then(|epoch| epoch.parse().ok());
        Some(Self { address: (host.clone(), port), epoch: epoch.unwrap_or(0) })
    }
}

impl LatestPrimary {
    /// Returns the primary to use, after most Sentinels or a few have named one.
    pub(super) fn after(&mut self, named: NamedPrimary, by_most: bool) -> Address {
        let known = match &self.known {
            Some(known) if named.epoch < known.epoch => known,
            // A failover gives another number. Without one, some Sentinels were set up anew.
            Some(known) if named.epoch == known.epoch && !by_most => known,
            _ => return self.adopt(named),
        };
        let address = known.address.clone();
        self.doubts += u32::from(by_most);
        if self.doubts < TIMES { address } else { self.adopt(named) }
    }

    fn adopt(&mut self, named: NamedPrimary) -> Address {
        let address = named.address.clone();
        *self = Self { known: Some(named), doubts: 0 };
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(host: &str, epoch: u64) -> NamedPrimary {
        NamedPrimary { address: (host.to_owned(), 1), epoch }
    }

    #[test]
    fn a_sentinel_that_knows_an_earlier_failover_changes_nothing() {
        let mut latest = LatestPrimary::default();
        for (host, epoch, by_most, expected) in [
            ("a", 6, false, "a"), // At first a few Sentinels are enough.
            ("b", 7, false, "b"),
            ("a", 6, false, "b"),
            ("a", 6, true, "b"),
            ("c", 7, false, "b"),
            ("b", 7, true, "b"),
            ("c", 7, true, "c"),
            ("d", 8, true, "d"),
        ] {
            assert_eq!(latest.after(named(host, epoch), by_most).0, expected, "{host} {epoch}");
        }
    }

    #[test]
    fn sentinels_that_were_set_up_anew_are_believed_after_some_time() {
        let mut latest = LatestPrimary::default();
        latest.after(named("a", 9), true);
        for _ in 1..TIMES {
            assert_eq!(latest.after(named("b", 0), true).0, "a");
        }
        for _ in 0..TIMES {
            assert_eq!(latest.after(named("b", 0), false).0, "a", "a few never are");
        }
        assert_eq!(latest.after(named("b", 0), true).0, "b");
    }
}
