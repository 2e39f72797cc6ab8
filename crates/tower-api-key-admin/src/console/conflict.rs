//! What two people have changed at once.

use std::borrow::Cow;

use super::changes::ShownChange;
use super::labels::label;

/// What two people have changed at once; empty if no other person has changed anything.
#[derive(Default)]
pub(super) struct Conflicts {
    pub(super) fields: Vec<Conflict>,
    /// The last change, if the visitor may read the trail.
    pub(super) last: Option<ShownChange>,
}

impl Conflicts {
    pub(super) const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.last.is_none()
    }
}

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
