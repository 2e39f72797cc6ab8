//! What is to be done with one response.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_LENGTH, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::content::{JsonContent, is_encoded};
use super::entity_tag::{TagMark, hide_tags, remove_all_marks};
use super::failure::ShapingFailure;
use super::rules::{OnUnshaped, ShapingRules};
use super::shape::Shape;
use crate::decision::Grant;
use crate::error::Denial;
use crate::response::caching::{force_private, vary_by};

/// Headers with a digest of the service's body: RFC 1864, RFC 3230, RFC 9530.
const DIGESTS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

/// What is to be done with one response.
#[derive(Debug)]
pub(super) struct ResponsePlan {
    pub(super) rules: Arc<ShapingRules>,
    shape: Shape,
    /// True if a key's settings have a part in the shape.
    is_of_key: bool,
    method: Method,
    /// True if the request's `If-None-Match` named a response of this shape.
    names_shape: bool,
}

/// What is to be done with a response's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyAction {
    Pass,
    /// The body is collected; one of a vague type only if it begins as JSON.
    Collect {
        is_vague: bool,
    },
    /// The body cannot be shaped. Without content, nothing is lost.
    Fail(ShapingFailure),
    /// Nothing of the response may leave.
    Refuse(ShapingFailure),
}

impl ResponsePlan {
    /// Chooses the shape of the response to a request, and prepares the request for the inner service.
    pub(super) fn new<B>(
        rules: &Arc<ShapingRules>,
        request: &mut Request<B>,
    ) -> Result<Self, Denial> {
        let shape = rules.shape(request)?;
        let is_of_key = rules.depend_on_key() && request.extensions().get::<Grant>().is_some();
        let method = request.method().clone();
        let headers = request.headers_mut();
        if !shape.is_empty() {
            // Without the header, any coding would be acceptable (RFC 9110 §12.5.3).
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            // A part of a document cannot be shaped. A service may always send the whole (RFC 9110 §14.2).
            headers.remove(RANGE);
            headers.remove(IF_RANGE);
        }
        if shape.blocklist().is_empty() {
            remove_all_marks(headers);
        } else {
            hide_tags(headers);
        }
        let names_shape = shape.blocklist().is_empty()
            && headers.contains_key(IF_NONE_MATCH)
            && TagMark::of(shape.inflection()).remove(headers);
        Ok(Self { rules: Arc::clone(rules), shape, is_of_key, method, names_shape })
    }

    /// Marks the headers of a response, and says what is to be done with its body, which has at least this many bytes.
    pub(super) fn receive(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
        least_bytes: u64,
    ) -> BodyAction {
        if self.blocks() {
            headers.remove(ETAG);
        }
        let is_tunnel = self.method == Method::CONNECT && status.is_success();
        if is_tunnel || status == StatusCode::SWITCHING_PROTOCOLS {
            let refused = self.blocks().then_some(BodyAction::Refuse(ShapingFailure::Tunnel));
            return refused.unwrap_or(BodyAction::Pass);
        }
        if status == StatusCode::NOT_MODIFIED {
            self.vary(headers);
            if self.names_shape {
                TagMark::of(self.shape.inflection()).add(headers);
            }
            if !self.shape.is_empty() {
                // They would be of the service's body.
                headers.remove(CONTENT_LENGTH);
                remove_digests(headers);
            }
            return BodyAction::Pass;
        }
        let content = self.content(headers);
        let is_bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
        if is_bodiless && !self.shape.is_empty() {
            remove_digests(headers);
        }
        if is_bodiless || content == JsonContent::Other {
            return BodyAction::Pass;
        }
        self.vary(headers);
        if self.is_of_key {
            // A shared cache would answer another key with this response.
            force_private(headers);
        }
        if !self.blocks() && matches!(content, JsonContent::Vague | JsonContent::Script) {
            return BodyAction::Pass;
        }
        if headers.contains_key(ETAG) {
            TagMark::of(self.shape.inflection()).add(headers);
        }
        if self.shape.is_empty() {
            return BodyAction::Pass;
        }
        let max_bytes = self.rules.max_bytes;
        if content == JsonContent::Sequence {
            BodyAction::Fail(ShapingFailure::Stream)
        } else if content == JsonContent::Script {
            BodyAction::Fail(ShapingFailure::Script)
        } else if matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::IM_USED) {
            BodyAction::Fail(ShapingFailure::Partial)
        } else if is_encoded(headers) {
            BodyAction::Fail(ShapingFailure::Encoded)
        } else if content == JsonContent::Vague {
            BodyAction::Collect { is_vague: true }
        } else if usize::try_from(least_bytes).map_or(true, |least| least > max_bytes) {
            BodyAction::Fail(ShapingFailure::TooLarge { max_bytes })
        } else {
            BodyAction::Collect { is_vague: false }
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Reports a failure. Returns true if the response is refused.
    pub(super) fn refuses(&self, failure: &ShapingFailure) -> bool {
        self.rules.report(failure);
        self.blocks() || self.rules.on_unshaped == OnUnshaped::Refuse
    }

    /// Shapes a body that has come as a whole.
    pub(super) fn shape(&self, body: &[u8]) -> Result<Bytes, ShapingFailure> {
        let json = str::from_utf8(body).map_err(|_| ShapingFailure::NotJson)?;
        self.shape.apply(json).map(Bytes::from)
    }

    /// Returns true if a blocklist is in force.
    fn blocks(&self) -> bool {
        !self.shape.blocklist().is_empty()
    }

    /// Returns what the body is. Only a blocklist asks for more than the types of JSON.
    fn content(&self, headers: &HeaderMap) -> JsonContent {
        match JsonContent::of(headers) {
            JsonContent::Vague | JsonContent::Script if !self.rules.can_block() => {
                JsonContent::Other
            }
            content => content,
        }
    }

    fn vary(&self, headers: &mut HeaderMap) {
        if let Some(name) = &self.rules.inflection_header {
            vary_by(headers, name);
        }
    }
}

/// Removes the headers that speak of the service's bytes, and sets the length if it is known.
pub(super) fn reframe(headers: &mut HeaderMap, length: Option<usize>) {
    remove_digests(headers);
    headers.remove(ACCEPT_RANGES);
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONTENT_LENGTH);
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Removes the digests of the service's body, from headers or trailers.
pub(super) fn remove_digests(headers: &mut HeaderMap) {
    for name in DIGESTS {
        headers.remove(name);
    }
}
