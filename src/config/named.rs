//! Tables whose names are free, in the order of the file.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Values by names that the file chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedTable<T>(pub(super) Vec<(String, T)>);

impl<T> NamedTable<T> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for NamedTable<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NamedTable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(from, "a table")
    }
}

impl<'de, T: Deserialize<'de>> NamedTable<T> {
    /// Reads a table, or refuses another value in the words of `expected`.
    pub(super) fn read<D: Deserializer<'de>>(
        from: D,
        expected: &'static str,
    ) -> Result<Self, D::Error> {
        struct ReadNamed<T>(&'static str, PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ReadNamed<T> {
            type Value = NamedTable<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamedTable<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                Ok(NamedTable(rows))
            }
        }
        from.deserialize_map(ReadNamed(expected, PhantomData))
    }
}

impl<T: Serialize> Serialize for NamedTable<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<T: JsonSchema> JsonSchema for NamedTable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TableOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": value})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order() {
        let text = r#"{"b":1,"a":2}"#;
        let table: NamedTable<u8> = serde_json::from_str(text).unwrap();
        assert_eq!(table.0, [("b".to_owned(), 1), ("a".to_owned(), 2)]);
        assert_eq!(serde_json::to_string(&table).unwrap(), text);
        assert!(serde_json::from_str::<NamedTable<u8>>("[]").is_err());
    }
}
