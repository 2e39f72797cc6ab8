//! The table of measures, targets and what became of them; for people, and as JSON for the plots.

use serde::Serialize;

/// A measure, its figure, and the bound that it has to keep.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    measure: String,
    figure: f64,
    unit: &'static str,
    target: Option<Target>,
    /// Whether the figure keeps its bound; `None` without one.
    met: Option<bool>,
}

/// A bound of a figure.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// Collects rows, and prints each as it comes.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a figure that has no target: a time, say, which is this machine's mood.
    pub(crate) fn note(&mut self, measure: impl Into<String>, figure: f64, unit: &'static str) {
        self.push(Row { measure: measure.into(), figure, unit, target: None, met: None });
    }

    /// Adds a figure that has to keep a bound.
    pub(crate) fn hold(
        &mut self,
        measure: impl Into<String>,
        figure: f64,
        unit: &'static str,
        target: Target,
    ) {
        let met = Some(target.is_met(figure));
        self.push(Row { measure: measure.into(), figure, unit, target: Some(target), met });
    }

    /// Returns all rows as JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts")
    }

    /// Counts the targets, and those that are met.
    pub(crate) fn met(&self) -> (usize, usize) {
        let targets = self.rows.iter().filter_map(|row| row.met);
        (targets.clone().count(), targets.filter(|met| *met).count())
    }

    fn push(&mut self, row: Row) {
        let Row { measure, figure, unit, .. } = &row;
        let bound = match row.target {
            None => String::new(),
            Some(Target::AtLeast(bound)) => format!("at least {bound} {unit}"),
            Some(Target::AtMost(bound)) => format!("at most {bound} {unit}"),
        };
        let verdict = match row.met {
            None => "",
            Some(true) => "met",
            Some(false) => "MISSED",
        };
        println!("{measure:<74} {figure:>9.2} {unit:<6} {bound:<20} {verdict}");
        self.rows.push(row);
    }
}

impl Target {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
        }
    }
}
