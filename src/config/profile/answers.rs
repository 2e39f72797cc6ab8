//! The table of a vendor's answers, as it stands in a file.

use std::fmt;

use bumpalo::Bump;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answer::AnswerRow;
use super::rows::{UnwritableRow, named_once, shortened, written};
use crate::config::read::{Contradiction, Path};
use crate::profile::{Answer, Answers};

/// The row of every name that has none of its own.
pub(super) const OTHERWISE: &str = "otherwise";

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
        let refuse = |name: &str, problem: String| Contradiction::new(path.field(name), &problem);
        Answers::from_rows(|name| {
            let mut wanted = name;
            // As many steps as there are rows: more of them are a circle.
            for _ in 0..=self.rows.len() {
                match self.row(wanted) {
                    Some(AnswerRow::Written(row)) => return Ok(row.describe(room)),
                    Some(AnswerRow::SameAs(other)) => match known(other) {
                        Some(other) if self.row(other).is_some() || base.is_some() => {
                            wanted = other;
                        }
                        Some(other) => {
                            return Err(refuse(
                                wanted,
                                format!("there is no row `{other}` to be the same as"),
                            ));
                        }
                        None => {
                            return Err(refuse(
                                wanted,
                                format!("no row can be named `{}`", other.escape_debug()),
                            ));
                        }
                    },
                    None => {
                        return base.map(|base| *base_row(base, wanted)).ok_or_else(|| {
                            let problem = format!(
                                "the row `{wanted}` is missing: add it, or a row `{OTHERWISE}`"
                            );
                            Contradiction::new(path.clone(), &problem)
                        });
                    }
                }
            }
            Err(refuse(
                name,
                "the rows name each other in a circle: write one of them out".to_owned(),
            ))
        })
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

    /// Returns the row of a name, or `otherwise`.
    fn row(&self, name: &str) -> Option<&AnswerRow> {
        let named =
            |wanted: &str| self.rows.iter().find(|(row, _)| *row == wanted).map(|(_, row)| row);
        named(name).or_else(|| named(OTHERWISE))
    }
}

fn base_row<'a, 'b>(base: &'b Answers<'a>, name: &str) -> &'b Answer<'a> {
    base.named(name).unwrap_or(&base.internal_error)
}

fn known(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// The names of all rows, and `otherwise`.
pub(super) static NAMES: &[&str] = &with_otherwise();

const fn with_otherwise() -> [&'static str; Answers::NAMES.len() + 1] {
    let mut names = [OTHERWISE; Answers::NAMES.len() + 1];
    let (rows, _) = names.split_at_mut(Answers::NAMES.len());
    rows.copy_from_slice(Answers::NAMES);
    names
}

impl<'de> Deserialize<'de> for AnswersTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name(&'static str);
        struct ReadName;
        struct Read;

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

        impl<'de> Visitor<'de> for Read {
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
        from.deserialize_map(Read)
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
