//! What is wrong with the settings.

use std::fmt;

use tower_api_key::config::SectionMistake;

/// The name of the table in the file.
pub(crate) const TABLE: &str = "gateway";

/// What is wrong with the settings: the field, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The path of the field within the table `[gateway]`.
    field: String,
    text: String,
}

impl Problem {
    /// Makes a problem of a field.
    pub(crate) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }

    /// Names the table in which the field stands.
    pub(crate) fn within(self, table: &str) -> Self {
        Self { field: format!("{table}.{}", self.field), text: self.text }
    }
}

impl Problem {
    /// Names the field by its path from the root of the file.
    pub(crate) fn in_file(self) -> SectionMistake {
        SectionMistake::new(format!("{TABLE}.{}", self.field), self.text)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{TABLE}.{}: {}", self.field, self.text)
    }
}

impl From<Problem> for SectionMistake {
    fn from(problem: Problem) -> Self {
        Self::new(problem.field, problem.text)
    }
}
