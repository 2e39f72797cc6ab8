//! Which keys a list shows.

use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState};

/// Chooses the keys of a list. A field that is `None` matches all keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyQuery {
    /// Keys of this account.
    pub account: Option<String>,
    /// Keys of this owner.
    pub owner: Option<String>,
    /// Keys of this kind.
    pub kind: Option<String>,
    /// Keys of this environment.
    pub environment: Option<String>,
    /// Keys that are in this state now.
    pub state: Option<KeyState>,
    /// Keys with this value of metadata: its name, and its value.
    pub tag: Option<(String, String)>,
    /// Keys whose name begins with this text.
    pub name_prefix: Option<String>,
    /// Keys that expire before this instant.
    pub expires_before: Option<Timestamp>,
    /// The order of the list: by id, by name, or by expiry without the keys that never expire.
    pub order: KeyOrder,
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

    /// Returns the filter of the store.
    pub(super) fn filter(&self) -> KeyFilter {
        KeyFilter {
            account: self.account.clone(),
            owner: self.owner.clone(),
            kind: self.kind.clone(),
            environment: self.environment.clone(),
            state: self.state,
            tag: self.tag.clone(),
            name_prefix: self.name_prefix.clone(),
            expires_before: self.expires_before,
            order: self.order,
        }
    }
}
