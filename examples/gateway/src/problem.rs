//! What is wrong with the settings.

use std::fmt;

/// What is wrong with the settings, with the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem(String);

impl Problem {
    /// Makes a problem from a text such as `addresses: name at least one server`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Names the table in which the field stands.
    pub(crate) fn within(self, table: &str) -> Self {
        Self(format!("{table}.{}", self.0))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
