//! A field of an edit.

use serde::{Deserialize, Deserializer};

/// A field of an edit: kept, removed, or set to another value. In JSON a kept field is absent, and a removed one is
/// `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// The field keeps its value.
    #[default]
    Keep,
    /// The field gets its default: no expiry, any network, the account's scopes.
    Remove,
    /// The field gets this value.
    Set(T),
}

impl<T> Field<T> {
    /// Returns true if the edit changes the field.
    pub const fn is_change(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// Returns the value that the field is set to.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Remove => None,
        }
    }
}

impl<T> Field<T> {
    /// Converts the value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Keep => Field::Keep,
            Self::Remove => Field::Remove,
            Self::Set(value) => Field::Set(convert(value)),
        }
    }

    /// Converts the value, if it can be converted.
    pub(crate) fn try_map<U, E>(
        self,
        convert: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Field<U>, E> {
        Ok(match self {
            Self::Keep => Field::Keep,
            Self::Remove => Field::Remove,
            Self::Set(value) => Field::Set(convert(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    /// Reads `null` as [`Remove`](Self::Remove). A field that is absent needs serde's `default`.
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(reader).map(Self::from)
    }
}

impl<T> From<Option<T>> for Field<T> {
    /// Sets the field to the value, or removes it.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }
}
