//! The pepper of digests, as it stands in a file.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use zeroize::Zeroizing;

use crate::config::read::{Contradiction, Path};
use crate::config::secret::SecretText;
use crate::key::{KeyHasher, Pepper};

/// The secret that is mixed into the digest of every key. A text is taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(in crate::config) enum PepperTable {
    /// The bytes of this text.
    Plain(SecretText),
    Encoded(EncodedPepperTable),
}

/// A pepper in an encoding of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum EncodedPepperTable {
    /// The bytes in Base64 (RFC 4648 §4).
    Base64(SecretText),
    /// The bytes as pairs of hexadecimal digits.
    Hex(SecretText),
}

impl PepperTable {
    pub(in crate::config) fn describe(&self, path: &Path) -> Result<KeyHasher, Contradiction> {
        Ok(KeyHasher::with_pepper(&self.pepper(path)?))
    }

    /// Reads the bytes.
    pub(super) fn pepper(&self, path: &Path) -> Result<Pepper, Contradiction> {
        let (path, bytes) = match self {
            Self::Plain(text) => {
                (path.clone(), Some(Zeroizing::new(text.expose().as_bytes().to_vec())))
            }
            Self::Encoded(EncodedPepperTable::Base64(text)) => {
                (path.field("base64"), base64(text.expose().trim()))
            }
            Self::Encoded(EncodedPepperTable::Hex(text)) => {
                (path.field("hex"), hex(text.expose().trim()))
            }
        };
        let Some(bytes) = bytes else {
            return Err(Contradiction::new(path, &"the bytes are not in this encoding"));
        };
        Pepper::new(bytes.as_slice()).map_err(|problem| Contradiction::new(path, &problem))
    }
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok());
    let digits: Zeroizing<Vec<u8>> = Zeroizing::new(digits.collect::<Option<_>>()?);
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| (high << 4) | low);
    rest.is_empty().then(|| Zeroizing::new(bytes.collect()))
}

impl<'de> Deserialize<'de> for PepperTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReadPepper;

        impl<'de> Visitor<'de> for ReadPepper {
            type Value = PepperTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a table with `base64` or `hex`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PepperTable, E> {
                Ok(PepperTable::Plain(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PepperTable, A::Error> {
                let content = MapAccessDeserializer::new(&mut map);
                let encoded = EncodedPepperTable::deserialize(content)?;
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(PepperTable::Encoded(encoded)),
                    Some(_) => {
                        Err(A::Error::custom("a pepper has one encoding: keep one of the two"))
                    }
                }
            }
        }
        from.deserialize_any(ReadPepper)
    }
}

impl JsonSchema for PepperTable {
    fn schema_name() -> Cow<'static, str> {
        "Pepper".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let plain = generator.subschema_for::<SecretText>();
        let encoded = generator.subschema_for::<EncodedPepperTable>();
        json_schema!({
            "description": "A text of at least 16 bytes, or `base64` or `hex` of at least 16 bytes.",
            "anyOf": [plain, encoded],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_two_encodings() {
        let of = |bytes: Option<Zeroizing<Vec<u8>>>| bytes.map(|bytes| bytes.to_vec());
        for (text, expected) in [
            ("00fFa9", Some(vec![0, 255, 169])),
            ("", Some(vec![])),
            ("0", None),
            ("0g", None),
            ("+f", None),
        ] {
            assert_eq!(of(hex(text)), expected, "{text}");
        }
        for (text, expected) in [("AP+p", Some(vec![0, 255, 169])), ("AP-p", None), ("A", None)] {
            assert_eq!(of(base64(text)), expected, "{text}");
        }
    }
}
