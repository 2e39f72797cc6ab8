//! Ranges of statuses, as they stand in a file.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// A status as `503`, or a range of them as `500-599`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct StatusRange(pub(in crate::config) RangeInclusive<u16>);

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReadStatuses;

        impl Visitor<'_> for ReadStatuses {
            type Value = StatusRange;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status as 503, or a range of them as \"500-599\"")
            }

            fn visit_u64<E: Error>(self, status: u64) -> Result<StatusRange, E> {
                let unfit = |_| E::invalid_value(Unexpected::Unsigned(status), &self);
                u16::try_from(status).map(|status| StatusRange(status..=status)).map_err(unfit)
            }

            fn visit_i64<E: Error>(self, status: i64) -> Result<StatusRange, E> {
                match u64::try_from(status) {
                    Ok(status) => self.visit_u64(status),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(status), &self)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<StatusRange, E> {
                let (first, last) = text.split_once('-').unwrap_or((text, text));
                match (number(first), number(last)) {
                    (Some(first), Some(last)) => Ok(StatusRange(first..=last)),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }
        from.deserialize_any(ReadStatuses)
    }
}

/// Reads digits. `parse` alone would take a sign.
fn number(text: &str) -> Option<u16> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Serialize for StatusRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last {
            to.serialize_u16(*first)
        } else {
            to.collect_str(&format_args!("{first}-{last}"))
        }
    }
}

impl JsonSchema for StatusRange {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A status as 503, or a range of them as \"500-599\".",
            "oneOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^\\s*[1-5][0-9][0-9]\\s*(-\\s*[1-5][0-9][0-9]\\s*)?$"},
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_range_is_one_status_or_two() {
        for (value, expected) in [
            (json!(503), Some(503..=503)),
            (json!("503"), Some(503..=503)),
            (json!("500-599"), Some(500..=599)),
            (json!("500 - 599"), Some(500..=599)),
            (json!("599-500"), Some(RangeInclusive::new(599, 500))), // the gate refuses it
            (json!(-1), None),
            (json!(70_000), None),
            (json!("5xx"), None),
            (json!("+500-599"), None),
            (json!("500-"), None),
            (json!(""), None),
            (json!(true), None),
        ] {
            let read = from_value::<StatusRange>(value.clone()).ok();
            assert_eq!(read.map(|range| range.0), expected, "{value}");
        }
        assert_eq!(to_value(StatusRange(500..=599)).unwrap(), json!("500-599"));
        assert_eq!(to_value(StatusRange(503..=503)).unwrap(), json!(503));
    }
}
