//! A field of an edit.

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

impl<T> From<Option<T>> for Field<T> {
    /// Sets the field to the value, or removes it.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }
}
