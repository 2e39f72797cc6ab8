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
    /// The id of the key's account.
    OwnAccount,
    /// No such header, or one of these.
    AbsentOr(Box<ExpectedTable>),
}

impl RequiredHeaderTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> RequiredHeader<'a> {
        RequiredHeader { name: &self.name, expected: self.expected.describe(room) }
    }

    pub(super) fn of(header: &RequiredHeader<'_>) -> Self {
        Self { name: header.name.to_owned(), expected: ExpectedTable::of(&header.expected) }
    }
}

impl ExpectedTable {
    fn describe<'a>(&'a self, room: &'a Bump) -> Expected<'a> {
        match self {
            Self::Present => Expected::Present,
            Self::OneOf(values) => Expected::OneOf(texts(values, room)),
            Self::MediaType(kind) => Expected::MediaType(kind),
            Self::Date => Expected::Date,
            Self::OwnAccount => Expected::OwnAccount,
            Self::AbsentOr(value) => Expected::AbsentOr(room.alloc(value.describe(room))),
        }
    }

    fn of(expected: &Expected<'_>) -> Self {
        match expected {
            Expected::Present => Self::Present,
            Expected::OneOf(values) => Self::OneOf(owned(values)),
            Expected::MediaType(kind) => Self::MediaType((*kind).to_owned()),
            Expected::Date => Self::Date,
            Expected::OwnAccount => Self::OwnAccount,
            Expected::AbsentOr(value) => Self::AbsentOr(Box::new(Self::of(value))),
        }
    }
}
