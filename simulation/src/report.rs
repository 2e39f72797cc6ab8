//! The tables that are printed.

use std::fmt;

use crate::limits::LimitFigures;
use crate::scenarios::Size;
use crate::stores::{StoreFigures, StoreScenario};

/// The bytes of an account in a node's table of leases.
const LEASE_BYTES: usize = 500;

/// The tables of all scenarios.
pub struct Report {
    /// The fleet.
    pub size: Size,
    /// What random numbers depend on.
    pub seed: u64,
    /// Only scenarios whose name contains this text.
    pub only: String,
}

impl Report {
    /// Runs the scenarios, and writes each row as it is known.
    ///
    /// # Errors
    ///
    /// [`fmt::Error`] if a row cannot be written.
    pub fn write(&self, mut row: impl FnMut(&str) -> fmt::Result) -> fmt::Result {
        row(LimitRow::HEAD)?;
        for scenario in self.size.all().iter().filter(|it| it.name.contains(&self.only)) {
            let (name, bound, figures) = (scenario.name, scenario.bound, scenario.run(self.seed));
            row(&LimitRow { name, bound, figures }.to_string())?;
        }
        row("")?;
        row(StoreRow::HEAD)?;
        for scenario in self.size.all_stores().iter().filter(|it| it.name.contains(&self.only)) {
            row(&StoreRow { scenario, figures: scenario.run(self.seed) }.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(|row| writeln!(formatter, "{row}"))
    }
}

/// A row of the table of limits.
pub struct LimitRow<'a> {
    /// The name of the scenario.
    pub name: &'a str,
    /// The most passes above the limit.
    pub bound: u64,
    /// What it showed.
    pub figures: LimitFigures,
}

impl LimitRow<'_> {
    /// The first lines of the table.
    pub const HEAD: &'static str = "\
| scenario | requests | passed | refused | 503 | above the limit | under-use | trips a request | calls a second | \
busiest second of a server | connections of a server | leases of a node |\n\
|---|---|---|---|---|---|---|---|---|---|---|---|";
}

impl fmt::Display for LimitRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitFigures { ends: [passed, refused, failed], above, under_use, trips, .. } =
            self.figures;
        let LimitFigures { calls, busiest, connections, held, .. } = self.figures;
        write!(
            formatter,
            "| {} | {} | {passed} | {refused} | {failed} | {above} (at most {}) | {:.1} % | {trips:.3} | {calls:.0} | \
             {busiest} | {connections} | {held} ({:.1} KB) |",
            self.name,
            passed + refused + failed,
            self.bound,
            under_use * 100.0,
            (held * LEASE_BYTES) as f64 / 1_000.0,
        )
    }
}

/// A row of the table of lookups.
pub struct StoreRow<'a> {
    /// The scenario.
    pub scenario: &'a StoreScenario,
    /// What it showed.
    pub figures: StoreFigures,
}

impl StoreRow<'_> {
    /// The first lines of the table.
    pub const HEAD: &'static str = "\
| store | scenario | requests | 503 | waited for the database | stalest answer | revocation refused by half, 99 %, all | \
statements a second | busiest second | notices a second | connections | records of a node |\n\
|---|---|---|---|---|---|---|---|---|---|---|---|";
}

impl fmt::Display for StoreRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoreFigures { requests, failed, waited, stalest, seen: [half, most, all], .. } =
            self.figures;
        let StoreFigures { statements, busiest, notices, connections, held, .. } = self.figures;
        write!(
            formatter,
            "| {} | {} | {requests} | {failed} | {:.1} % | {stalest} ms (at most {} ms) | \
             {half}, {most}, {all} ms | {statements:.0} | {busiest} | {notices:.0} | {connections} | {held} |",
            self.scenario.mode.name(),
            self.scenario.name,
            waited as f64 * 100.0 / requests.max(1) as f64,
            self.scenario.bound,
        )
    }
}
