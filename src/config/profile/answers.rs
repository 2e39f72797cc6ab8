//! The table of a vendor's answers, as it stands in a file.

use std::fmt;

use bumpalo::Bump;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answer::AnswerRow;
use super::linked_rows::LinkedRows;
use super::row_names::{NAMES, known};
use super::rows::{UnwritableRow, named_once, shortened, written};
use crate::config::read::{Contradiction, Path};
use crate::profile::Answers;

/// Rows by the names of [`Answers`], and `otherwise`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AnswersTable {
    pub(super) rows: Vec<(&'static str, AnswerRow)>,
}

impl AnswersTable {
    /// Describes the table. Rows that it does not name are `otherwise`, or those of `base`.
    pub(super) fn describe<'a>(
        &'a self,
        base: Option<&Answers<'a>>,
        room: &'a Bump,
        path: &Path,
    ) -> Result<Answers<'a>, Contradiction> {
        let rows = LinkedRows { rows: &self.rows, base, room, path };
        Answers::from_rows(|name| rows.describe(name))
    }

    /// Writes a table of answers. With `base`, rows that equal those of the base may be left out.
    pub(super) fn of(
        answers: &Answers<'_>,
        base: Option<&Answers<'_>>,
    ) -> Result<Self, UnwritableRow> {
        let rows = written(answers)?;
        let whole = shortened(&rows);
        let Some(base) = base else { return Ok(Self { rows: whole }) };
        // A row of the base that a file cannot hold equals none.
        let base = written(base).unwrap_or_default();
        let changed: Vec<_> = rows.into_iter().filter(|row| !base.contains(row)).collect();
        let changed = named_once(&changed);
        Ok(Self { rows: if changed.len() <= whole.len() { changed } else { whole } })
    }
}

impl<'de> Deserialize<'de> for AnswersTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name(&'static str);
        struct ReadName;
        struct ReadAnswers;

        impl<'de> Deserialize<'de> for Name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_identifier(ReadName)
            }
        }

        impl Visitor<'_> for ReadName {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a row")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                known(name).map(Name).ok_or_else(|| E::unknown_field(name, NAMES))
            }
        }

        impl<'de> Visitor<'de> for ReadAnswers {
            type Value = AnswersTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of answers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnswersTable, A::Error> {
                let mut rows = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    rows.push((name, map.next_value()?));
                }
                Ok(AnswersTable { rows })
            }
        }
        from.deserialize_map(ReadAnswers)
    }
}

impl Serialize for AnswersTable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.rows.len()))?;
        for (name, row) in &self.rows {
            map.serialize_entry(name, row)?;
        }
        map.end()
    }
}

impl JsonSchema for AnswersTable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Answers".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let row = generator.subschema_for::<AnswerRow>();
        let rows: serde_json::Map<String, serde_json::Value> =
            NAMES.iter().map(|name| ((*name).to_owned(), row.clone().to_value())).collect();
        json_schema!({
            "description": "One row for each kind of denial. `otherwise` is the row of every name without one.",
            "type": "object",
            "properties": rows,
            "additionalProperties": false,
        })
    }
}
