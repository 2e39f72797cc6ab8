//! One page of a list.

use tower_api_key::store::{BrokenRow, Page};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed<T> {
    /// What was found, in the order of the list.
    pub found: Vec<T>,
    /// The rows that cannot be read. Operators can revoke and delete such keys.
    pub broken: Vec<BrokenRow>,
    /// What to pass as `after` for the next page; `None` at the end of the list.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// Makes a page of at most `limit` items from a list with one more, if there are more.
    pub(super) fn new(page: Page<T>, limit: usize, id: impl Fn(&T) -> String) -> Self {
        let Page { mut found, broken } = page;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(id) } else { None };
        Self { found, broken, next }
    }
}
