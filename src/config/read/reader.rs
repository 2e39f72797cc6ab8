//! Reads a tree with serde.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::repairs::Repairs;
use crate::config::text::{Content, Field, Node, Origin};

/// One value of a tree, for serde.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) repairs: &'a Repairs,
}

impl<'a> Reader<'a> {
    const fn of(self, node: &'a Node) -> Self {
        Self { node, repairs: self.repairs }
    }

    /// Reads a value that was taken from elsewhere, where all are texts, as a number or a truth value.
    fn scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault>
    where
        'a: 'de,
    {
        let text = match &self.node.content {
            Content::Text(text) if self.node.origin != Origin::Here => text.trim(),
            _ => return de::Deserializer::deserialize_any(self, visitor),
        };
        let read = match (text.parse(), text.parse(), text.parse()) {
            (Ok(truth), _, _) => visitor.visit_bool(truth),
            (_, Ok(number), _) => visitor.visit_i64(number),
            (_, _, Ok(number)) => visitor.visit_f64(number),
            _ => Err(Fault::unfit("this text", &visitor)),
        };
        read.map_err(|fault: Fault| fault.at(self.node.id))
    }
}

macro_rules! scalars {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.scalar(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.node.content {
            Content::Null => visitor.visit_unit(),
            Content::Truth(truth) => visitor.visit_bool(*truth),
            Content::Whole(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Content::Decimal(number) => visitor.visit_f64(*number),
            Content::Text(text) => visitor.visit_borrowed_str(text),
            Content::List(_) => visitor
                .visit_seq(Items { reader: self, items: Box::new(self.repairs.items(self.node)) }),
            Content::Table(_) => visitor.visit_map(Fields {
                reader: self,
                rest: Box::new(self.repairs.fields(self.node)),
                last: None,
            }),
        };
        read.map_err(|fault| fault.at(self.node.id))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // What is absent is left out: `null` fits no field.
        visitor.visit_some(self).map_err(|fault: Fault| fault.at(self.node.id))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self).map_err(|fault: Fault| fault.at(self.node.id))
    }

    /// A text is a variant without content. A table with one field is a variant with content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = match &self.node.content {
            Content::Text(text) => {
                let text = self.repairs.text_of(self.node, text);
                let name: de::value::StrDeserializer<'_, Fault> = text.into_deserializer();
                visitor.visit_enum(name)
            }
            Content::Table(_) => {
                let mut fields = self.repairs.fields(self.node);
                match (fields.next(), fields.next()) {
                    (Some(field), None) => visitor.visit_enum(Choice { reader: self, field }),
                    _ => Err(Fault::problem(
                        "expected one name in this table, which says what it is",
                    )),
                }
            }
            other => Err(Fault::unfit(other.kind(), &"a text, or a table with one field")),
        };
        read.map_err(|fault| fault.at(self.node.id))
    }

    /// Serde would take a list for a table whose fields have no names.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::List(_) => Err(Fault::unfit("a list", &visitor).at(self.node.id)),
            _ => self.deserialize_any(visitor),
        }
    }

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

/// The items of a list.
struct Items<'de> {
    reader: Reader<'de>,
    items: Box<dyn Iterator<Item = &'de Node> + 'de>,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let read = |item: &'de Node| {
            let read = seed.deserialize(self.reader.of(item));
            read.map_err(|fault: Fault| fault.at(item.id))
        };
        self.items.next().map(read).transpose()
    }
}

/// The fields of a table.
struct Fields<'de> {
    reader: Reader<'de>,
    rest: Box<dyn Iterator<Item = &'de Field> + 'de>,
    last: Option<&'de Field>,
}

impl<'de> de::MapAccess<'de> for Fields<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.last = self.rest.next();
        let Some(field) = self.last else { return Ok(None) };
        let name: de::value::BorrowedStrDeserializer<'_, Fault> =
            de::value::BorrowedStrDeserializer::new(self.reader.repairs.name_of(field));
        seed.deserialize(name).map(Some).map_err(|fault| fault.of_name().at(field.value.id))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        match self.last {
            Some(field) => {
                let read = seed.deserialize(self.reader.of(&field.value));
                read.map_err(|fault: Fault| fault.at(field.value.id))
            }
            None => Err(Fault::problem("a value without a name")),
        }
    }
}

/// A variant with content: `{ name = content }`.
struct Choice<'de> {
    reader: Reader<'de>,
    field: &'de Field,
}

impl<'de> de::EnumAccess<'de> for Choice<'de> {
    type Error = Fault;
    type Variant = Reader<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Reader<'de>), Fault> {
        let name: de::value::StrDeserializer<'_, Fault> =
            self.reader.repairs.name_of(self.field).into_deserializer();
        let variant = seed
            .deserialize(name)
            .map_err(|fault: Fault| fault.of_name().at(self.field.value.id))?;
        Ok((variant, self.reader.of(&self.field.value)))
    }
}

impl<'de> de::VariantAccess<'de> for Reader<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match &self.node.content {
            Content::Truth(true) => Ok(()),
            Content::Table(fields) if fields.is_empty() => Ok(()),
            _ => {
                Err(Fault::problem("this has no content: write its name as a text")
                    .at(self.node.id))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        de::Deserializer::deserialize_any(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.content {
            Content::Table(_) => de::Deserializer::deserialize_any(self, visitor),
            other => Err(Fault::unfit(other.kind(), &"a table").at(self.node.id)),
        }
    }
}
