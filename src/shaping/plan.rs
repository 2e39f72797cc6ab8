//! What is to be done with one response.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::content::{Content, is_encoded};
use super::entity_tag::TagMark;
use super::failure::ShapingFailure;
use super::rules::{OnUnshaped, ShapingRules};
use super::shape::Shape;
use crate::response::caching::{force_private, vary_by};

/// Headers with a digest of the service's body: RFC 1864, RFC 3230, RFC 9530.
const DIGESTS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

/// What is to be done with one response.
#[derive(Debug)]
pub(super) struct ResponsePlan {
    pub(super) rules: Arc<ShapingRules>,
    pub(super) shape: Shape,
    /// True if a key's settings have a part in the shape.
    pub(super) is_of_key: bool,
    pub(super) is_head: bool,
    /// True if the request's `If-None-Match` named a response of this shape.
    pub(super) names_shape: bool,
}

/// What is to be done with a response's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyAction {
    Pass,
    Collect,
    /// The body cannot be shaped.
    Fail(ShapingFailure),
}

impl ResponsePlan {
    /// Marks the headers of a response, and says what is to be done with its body, which has at least this many bytes.
    pub(super) fn receive(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
        least_bytes: u64,
    ) -> BodyAction {
        if status == StatusCode::NOT_MODIFIED {
            self.vary(headers);
            if self.names_shape {
                TagMark::of(&self.shape).add(headers);
                headers.remove(CONTENT_LENGTH);
            }
            return BodyAction::Pass;
        }
        let content = Content::of(headers);
        let is_bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
        if is_bodiless || content == Content::Other {
            return BodyAction::Pass;
        }
        self.vary(headers);
        if self.is_of_key {
            // A shared cache would answer another key with this response.
            force_private(headers);
        }
        TagMark::of_response(&self.shape, headers);
        if self.shape.is_empty() {
            return BodyAction::Pass;
        }
        let max_bytes = self.rules.max_bytes;
        if content == Content::Sequence {
            BodyAction::Fail(ShapingFailure::Stream)
        } else if matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::IM_USED) {
            BodyAction::Fail(ShapingFailure::Partial)
        } else if is_encoded(headers) {
            BodyAction::Fail(ShapingFailure::Encoded)
        } else if usize::try_from(least_bytes).map_or(true, |least| least > max_bytes) {
            BodyAction::Fail(ShapingFailure::TooLarge { max_bytes })
        } else {
            BodyAction::Collect
        }
    }

    /// Reports a failure. Returns true if the response is refused.
    pub(super) fn refuses(&self, failure: &ShapingFailure) -> bool {
        self.rules.report(failure);
        !self.shape.blocklist().is_empty() || self.rules.on_unshaped == OnUnshaped::Refuse
    }

    /// Shapes a body that has come as a whole.
    pub(super) fn shape(&self, body: &[u8]) -> Result<Bytes, ShapingFailure> {
        let json = str::from_utf8(body).map_err(|_| ShapingFailure::NotJson)?;
        self.shape.apply(json).map(Bytes::from)
    }

    fn vary(&self, headers: &mut HeaderMap) {
        if let Some(name) = &self.rules.inflection_header {
            vary_by(headers, name);
        }
    }
}

impl TagMark {
    /// Adds the mark of a shape to a response that has a tag.
    fn of_response(shape: &Shape, headers: &mut HeaderMap) {
        if headers.contains_key(http::header::ETAG) {
            Self::of(shape).add(headers);
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
