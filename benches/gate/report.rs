//! The table of measures, targets and what became of them; for people, and as JSON for the plots.

use serde::Serialize;

/// A measure, its figure, and the bound that it has to keep.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    measure: String,
    figure: f64,
    unit: &'static str,
    target: Option<Target>,
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
        self.push(Row { measure: measure.into(), figure, unit, target: None });
    }

    /// Adds a figure that has to keep a bound.
    pub(crate) fn hold(
        &mut self,
        measure: impl Into<String>,
        figure: f64,
        unit: &'static str,
        target: Target,
    ) {
        self.push(Row { measure: measure.into(), figure, unit, target: Some(target) });
    }

    /// Returns all rows as JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts")
    }

    /// Counts the targets, and those that are met.
    pub(crate) fn met(&self) -> (usize, usize) {
        let targets = self.rows.iter().filter(|row| row.target.is_some());
        (targets.clone().count(), targets.filter(|row| row.is_met()).count())
    }

    fn push(&mut self, row: Row) {
        let Row { measure, figure, unit, .. } = &row;
        let bound = match row.target {
            None => String::new(),
            Some(Target::AtLeast(bound)) => format!("at least {bound} {unit}"),
            Some(Target::AtMost(bound)) => format!("at most {bound} {unit}"),
        };
        let verdict = match row.target {
            None => "",
            Some(_) if row.is_met() => "met",
            Some(_) => "MISSED",
        };
        println!("{measure:<66} {figure:>9.2} {unit:<6} {bound:<20} {verdict}");
        self.rows.push(row);
    }
}

impl Row {
    fn is_met(&self) -> bool {
        match self.target {
            None => true,
            Some(Target::AtLeast(bound)) => self.figure >= bound,
            Some(Target::AtMost(bound)) => self.figure <= bound,
        }
    }
}
