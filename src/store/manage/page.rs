//! A part of a list.

/// Holds a part of a list, and what could not be read on its way.
///
/// ```
/// use tower_api_key::store::{BrokenRow, Page};
///
/// let broken = BrokenRow { id: "key_7".to_owned(), problem: "its scopes are no list".to_owned() };
/// let page = Page { found: vec!["key_6", "key_8"], broken: vec![broken] };
/// assert_eq!(page.broken[0].id, "key_7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in the order of the ids.
    pub found: Vec<T>,
    /// What is there and cannot be read, in the order of the ids. It counts for no limit.
    pub broken: Vec<BrokenRow>,
}

/// Names a key or an account whose row is not one that a store has written. A lookup of such a key fails,
/// and is no unknown key; it can be revoked and deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRow {
    /// The id.
    pub id: String,
    /// What is wrong with it, for an operator.
    pub problem: String,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { found: Vec::new(), broken: Vec::new() }
    }
}
