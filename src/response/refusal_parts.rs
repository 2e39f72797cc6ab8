//! A refusal that is rendered, before it becomes a response.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response, StatusCode};

/// The parts of a refusal. They become a response in one step, with the body that the caller needs: a response whose body
/// is changed afterwards is copied twice.
#[must_use]
pub(crate) struct RefusalParts {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Bytes,
    pub(super) extensions: Extensions,
}

impl RefusalParts {
    /// Makes the response, with a body of the content.
    #[inline]
    pub(crate) fn into_response<B>(self, body: impl FnOnce(Bytes) -> B) -> Response<B> {
        let Self { status, headers, content, extensions } = self;
        let mut response = Response::new(body(content));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        *response.extensions_mut() = extensions;
        response
    }
}
