//! Names and texts, in the order of the file.

use bumpalo::Bump;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::named::NamedTable;

/// A table whose names are free and whose values are texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(in crate::config) struct Pairs(pub(in crate::config) NamedTable<String>);

impl Pairs {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> &'a [(&'a str, &'a str)] {
        let pairs = self.0.0.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        room.alloc_slice_fill_iter(pairs.collect::<Vec<_>>())
    }

    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self(NamedTable(pairs.iter().map(owned).collect()))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        NamedTable::read(from, "a table of texts").map(Self)
    }
}

impl JsonSchema for Pairs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}
