//! Headers that every request must have, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::{owned, texts};
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

    pub(super) fn of(header: &RequiredHeader<'_>) -> Self {
        let expected = match header.expected {
            Expected::Present => ExpectedTable::Present,
            Expected::OneOf(values) => ExpectedTable::OneOf(owned(values)),
            Expected::MediaType(kind) => ExpectedTable::MediaType(kind.to_owned()),
            Expected::Date => ExpectedTable::Date,
        };
        Self { name: header.name.to_owned(), expected }
    }
}
