//! What all handlers share.

use std::sync::Arc;

use tower_api_key::clock::Clock;
use tower_api_key::key::KeyHasher;

use super::cookie::SessionCookie;
use super::frame::{Frame, Section, Visitor};
use super::sessions::Sessions;
use super::usage::UsageSource;
use crate::management::Management;

pub(super) struct Shared {
    pub(super) management: Management,
    pub(super) path: String,
    pub(super) brand: String,
    pub(super) hasher: KeyHasher,
    pub(super) sessions: Arc<Sessions>,
    pub(super) cookie: SessionCookie,
    pub(super) usage: Option<Arc<dyn UsageSource>>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Shared {
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
