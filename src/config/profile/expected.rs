//! Headers that every request must have, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::texts;
use crate::profile::{Expected, RequiredHeader};

/// A header that every request must have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequiredHeaderTable {
    pub(super) name: String,
    expected: ExpectedTable,
}

/// The values that the header may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ExpectedTable {
    /// Any value.
    Present,
    OneOf(Vec<String>),
    /// This media type, with any parameters.
    MediaType(String),
    /// A calendar date, as `2026-01-31`.
    Date,
}

impl RequiredHeaderTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> RequiredHeader<'a> {
        let expected = match &self.expected {
            ExpectedTable::Present => Expected::Present,
            ExpectedTable::OneOf(values) => Expected::OneOf(texts(values, room)),
            ExpectedTable::MediaType(kind) => Expected::MediaType(kind),
            ExpectedTable::Date => Expected::Date,
        };
        RequiredHeader { name: &self.name, expected }
    }
}
