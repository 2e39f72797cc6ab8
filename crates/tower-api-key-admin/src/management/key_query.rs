//! Which page of a list of keys to show.

use tower_api_key::store::KeyFilter;

/// Chooses a page of a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyQuery {
    /// The keys of the list, and their order.
    pub filter: KeyFilter,
    /// The `next` of the page before; `None` for the first page.
    pub after: Option<String>,
    /// The most keys of the page, from 1 to [`MOST`](Self::MOST); `None` for 50.
    pub limit: Option<usize>,
}

impl KeyQuery {
    /// The most keys of one page: 200.
    pub const MOST: usize = 200;

    /// The keys of a page unless set: 50.
    pub const USUAL: usize = 50;
}
