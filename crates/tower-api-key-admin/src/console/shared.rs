//! What all handlers share.

use std::sync::Arc;

use form_urlencoded::Serializer;
use tower_api_key::key::KeyHasher;

use super::cookie::SessionCookie;
use super::frame::{Frame, Section, Visitor};
use super::sessions::Sessions;
use crate::management::Management;

pub(super) struct Shared {
    pub(super) management: Management,
    pub(super) path: String,
    pub(super) brand: String,
    pub(super) hasher: KeyHasher,
    pub(super) environments: Vec<String>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) cookie: SessionCookie,
}

impl Shared {
    /// Returns the address of a page about a key. The id is in the query, where no dot and no slash has a meaning.
    pub(super) fn of_key(&self, page: &str, id: &str) -> String {
        format!("{}/{}", self.path, self.last_of_key(page, id))
    }

    /// Returns the address of a page about a key, after the path of the console.
    #[expect(clippy::unused_self, reason = "the same form as the whole address")]
    pub(super) fn last_of_key(&self, page: &str, id: &str) -> String {
        let query = Serializer::new(String::new()).append_pair("id", id).finish();
        format!("{page}?{query}")
    }

    /// Returns what a page has around its content.
    pub(super) fn frame(
        &self,
        visitor: impl Into<Option<Visitor>>,
        section: impl Into<Option<Section>>,
    ) -> Frame {
        let (path, brand) = (self.path.clone(), self.brand.clone());
        Frame { path, brand, section: section.into(), visitor: visitor.into() }
    }
}
