//! The scenarios of lookups.

use std::time::Duration;

use crate::database::{DATABASE, Failover};
use crate::network::Cut;
use crate::scenarios::Size;
use crate::store_mode::StoreMode;
use crate::stores::StoreScenario;

/// The longest age of a record, by default.
const STALENESS: u64 = 5_000;

/// The time for which records are served while they cannot be read again, in scenarios with a grace.
const GRACE: Duration = Duration::from_secs(60);

impl Size {
    /// Returns all scenarios of lookups.
    pub fn all_stores(self) -> Vec<StoreScenario> {
        let of_mode = |mode: StoreMode| {
            [
                self.lookups(mode),
                self.cut_off(mode),
                self.database_fails_over(mode),
                self.database_fails_over_in_grace(mode),
            ]
        };
        StoreMode::ALL.into_iter().flat_map(of_mode).collect()
    }

    /// Requests with keys that mostly were used before, and revocations.
    pub fn lookups(self, mode: StoreMode) -> StoreScenario {
        StoreScenario {
            name: "steady load".to_owned(),
            mode,
            nodes: self.nodes,
            rate: self.rate,
            lasts: self.lasts,
            from: self.lasts / 3,
            keys: mode.keys(),
            busy_keys: 100,
            others: 0.05,
            revocations: 1.0,
            cuts: Vec::new(),
            failovers: Vec::new(),
            grace: Duration::ZERO,
            bound: STALENESS,
            drift: 450,
        }
    }

    /// A third of the nodes does not reach the database for 10 s.
    pub fn cut_off(self, mode: StoreMode) -> StoreScenario {
        let cut =
            Cut { during: self.during(10_000), nodes: 0..self.nodes.div_ceil(3), server: DATABASE };
        let name = "a third cut off 10 s".to_owned();
        StoreScenario { cuts: vec![cut], name, ..self.lookups(mode) }
    }

    /// The database is down for 10 s. Then a standby takes over, without the last second.
    pub fn database_fails_over(self, mode: StoreMode) -> StoreScenario {
        let during = self.during(10_000);
        let failover = Failover { at: during.start, until: during.end, lost: 1_000 };
        let name = "database fails over, 10 s".to_owned();
        StoreScenario { failovers: vec![failover], name, ..self.lookups(mode) }
    }

    /// The same, with a grace.
    pub fn database_fails_over_in_grace(self, mode: StoreMode) -> StoreScenario {
        let scenario = self.database_fails_over(mode);
        let name = format!("{}, grace {} s", scenario.name, GRACE.as_secs());
        let bound = STALENESS + GRACE.as_millis() as u64;
        StoreScenario { grace: GRACE, name, bound, ..scenario }
    }
}
