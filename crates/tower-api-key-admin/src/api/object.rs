//! Objects in JSON. Serde alone also reads an array as a struct, and the last one of two equal names.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// An object that is read as a struct. An array is refused: its items have no names, so a client that sends one cannot
/// mean these fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

/// An object with names that the client chooses. A name that is there twice is refused: readers of JSON disagree which of
/// the two counts (RFC 8259 §4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Named<T>(pub(super) BTreeMap<String, T>);

struct ObjectVisitor<T>(PhantomData<T>);

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(ObjectVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(NamedVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Named<T>, A::Error> {
        let mut named = BTreeMap::new();
        while let Some((name, value)) = values.next_entry()? {
            if named.insert(name, value).is_some() {
                return Err(A::Error::custom(
                    "must be an object without a name that is there twice",
                ));
            }
        }
        Ok(Named(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        one: u32,
        #[serde(default)]
        two: Option<u32>,
    }

    #[test]
    fn an_array_is_no_object() {
        let read = serde_json::from_str::<Object<Pair>>;
        assert_eq!(read(r#"{"one":1}"#).unwrap(), Object(Pair { one: 1, two: None }));
        for wrong in
            ["[1]", "[1,2]", "[]", "1", "null", r#"{"one":1,"one":2}"#, r#"{"one":1,"six":2}"#]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        // What serde reads without this.
        assert_eq!(serde_json::from_str::<Pair>("[1,2]").unwrap(), Pair { one: 1, two: Some(2) });
    }

    #[test]
    fn a_name_is_there_once() {
        let read = serde_json::from_str::<Named<u32>>;
        assert_eq!(read(r#"{"b":1,"a":2}"#).unwrap().0.len(), 2);
        assert_eq!(read("{}").unwrap(), Named::default());
        for wrong in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":3}"#, "[]", "[[1,2]]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
