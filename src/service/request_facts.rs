//! What a gate keeps of each request for its answer.

use http::Request;

use super::mark_connection::connection;
use super::shared::Shared;
use crate::request::{Head, RequestId};
use crate::response::{RequestFacts, RequestIds};

impl Shared {
    /// Returns what the answer to a request may have. Returns `None` if no answer of the profile has any of it.
    #[inline]
    pub(super) fn request_facts<B>(&self, request: &Request<B>) -> Option<Box<RequestFacts>> {
        let (has_target, ids) = (self.renderer.speaks_of_request(), self.renderer.request_ids());
        (has_target || ids.is_some()).then(|| {
            let id = ids.and_then(|ids| self.request_id(ids, request));
            Box::new(RequestFacts::new(&Head::of(request), has_target, id))
        })
    }

    /// Returns the id of a request: that of a layer further out, that of a trusted proxy, or a new one.
    fn request_id<B>(&self, ids: &RequestIds, request: &Request<B>) -> Option<RequestId> {
        if let Some(id) = request.extensions().get::<RequestId>() {
            return Some(id.clone());
        }
        if self.options.takes_request_ids && self.policy.proxies().trusts(connection(request)) {
            let mut lines = request.headers().get_all(ids.name()).iter();
            if let (Some(line), None) = (lines.next(), lines.next())
                && let Some(id) = RequestId::read(line.as_bytes())
            {
                return Some(id);
            }
        }
        ids.make()
    }
}
