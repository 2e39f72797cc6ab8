//! The shape of a JSON body: a value of the file, or JSON in a text.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// JSON, with its members in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JsonShape(pub(super) String);

/// A value of the file, as JSON.
struct Written(String);

impl<'de> Deserialize<'de> for JsonShape {
    /// A text at the top is JSON: TOML has no `null`.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Written(json) = Written::deserialize(from)?;
        match serde_json::from_str(&json) {
            Ok(Value::String(text)) => Ok(Self(text)),
            _ => Ok(Self(json)),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Write)
    }
}

struct Write;

fn json(value: impl Into<Value>) -> Written {
    Written(value.into().to_string())
}

impl<'de> Visitor<'de> for Write {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or JSON in a text")
    }

    fn visit_unit<E>(self) -> Result<Written, E> {
        Ok(json(Value::Null))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Written, E> {
        Ok(json(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Written, E> {
        Ok(json(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Written, E> {
        Ok(json(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Written, E> {
        Ok(json(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Written, E> {
        Ok(json(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
        let mut written = Vec::new();
        while let Some(Written(item)) = items.next_element()? {
            written.push(item);
        }
        Ok(Written(format!("[{}]", written.join(","))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Written, A::Error> {
        let mut written = Vec::new();
        while let Some((name, Written(value))) = members.next_entry::<String, Written>()? {
            written.push(format!("{}:{value}", Value::from(name)));
        }
        Ok(Written(format!("{{{}}}", written.join(","))))
    }
}

impl Serialize for JsonShape {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl JsonSchema for JsonShape {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonShape".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value of any shape, or JSON in a text. Only its texts may have placeholders."
        })
    }
}
