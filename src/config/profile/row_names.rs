//! The names of the rows of a table of answers.

use crate::profile::Answers;

/// The row of every name that has none of its own.
pub(super) const OTHERWISE: &str = "otherwise";

/// Returns the name of a row, if it is one.
pub(super) fn known(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// The names of all rows, and `otherwise`.
pub(super) static NAMES: &[&str] = &with_otherwise();

const fn with_otherwise() -> [&'static str; Answers::NAMES.len() + 1] {
    let mut names = [OTHERWISE; Answers::NAMES.len() + 1];
    let (rows, _) = names.split_at_mut(Answers::NAMES.len());
    rows.copy_from_slice(Answers::NAMES);
    names
}
