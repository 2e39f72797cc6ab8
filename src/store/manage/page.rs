//! A page of a list.

use crate::key::AccountId;

/// One page of a list, with the rows that could not be read.
///
/// ```
/// use tower_api_key::store::{BrokenRow, Page};
///
/// let problem = "scopes: not a list".to_owned();
/// let broken = BrokenRow { id: "key_7".to_owned(), account: None, problem };
/// let page = Page { found: vec!["key_6", "key_8"], broken: vec![broken] };
/// assert_eq!(page.broken[0].id, "key_7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The keys, accounts or policies that were read, in the order of their ids.
    pub found: Vec<T>,
    /// The rows that could not be read, in the order of their ids. The limit of the list does not count them.
    pub broken: Vec<BrokenRow>,
}

/// A key or an account whose row cannot be read, because no store wrote it like this; or a policy of a newer version.
///
/// A lookup of such a key fails with an error, and is not answered as an unknown key. The key can be revoked
/// and deleted, and the policy can be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRow {
    /// The id of the key or account, or the subject of the policy.
    pub id: String,
    /// The account of a key, if the row says so. `None` for the row of an account or a policy.
    pub account: Option<AccountId>,
    /// What is wrong with the row, for an operator.
    pub problem: String,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { found: Vec::new(), broken: Vec::new() }
    }
}
