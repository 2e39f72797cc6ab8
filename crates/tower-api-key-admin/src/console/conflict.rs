//! What two people have changed at once.

use std::borrow::Cow;

use super::labels::label;

/// A field with another value than the stored one.
pub(super) struct Conflict {
    /// The label of the field.
    pub(super) field: Cow<'static, str>,
    pub(super) stored: String,
    pub(super) yours: String,
}

impl Conflict {
    /// Lists the fields that differ, each given with its stored and its sent value.
    pub(super) fn between(
        fields: impl IntoIterator<Item = (&'static str, String, String)>,
    ) -> Vec<Self> {
        let differ = fields.into_iter().filter(|(_, stored, yours)| stored != yours);
        differ.map(|(field, stored, yours)| Self { field: label(field), stored, yours }).collect()
    }

    /// Returns a box that is checked or not as a word.
    pub(super) fn checked(checked: bool) -> String {
        if checked { "yes" } else { "no" }.to_owned()
    }
}
