//! The part of a request that a decision reads.

use std::fmt;

use http::{HeaderMap, HeaderName, Method};

/// Borrows method, path and headers. The path is the one that the client sent, in origin form,
/// without query: scheme and authority of a target are the client's own words and decide nothing.
///
/// ```
/// use tower_api_key::request::Head;
///
/// let request = http::Request::get("https://api.example.com/v1/users?page=2").body(())?;
/// assert_eq!(Head::of(&request).path, "/v1/users");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    /// Borrows the head of a request, with the original path if an outer router has cut it.
    pub fn of<B>(request: &'a http::Request<B>) -> Self {
        Self { method: request.method(), path: original_path(request), headers: request.headers() }
    }

    /// Tells whether this is a CORS preflight (Fetch §4.8: `OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method`).
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
            && self.headers.contains_key(http::header::ORIGIN)
            && self.headers.contains_key(http::header::ACCESS_CONTROL_REQUEST_METHOD)
    }
}

/// Shows the names of the headers and none of their values: one of them is the key, and which one
/// only a profile knows.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = || self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>();
        formatter
            .debug_struct("Head")
            .field("method", self.method)
            .field("path", &self.path)
            .field("headers", &names())
            .finish()
    }
}

#[cfg(feature = "axum")]
use crate::axum::original_path;

/// Returns the path of the request target.
#[cfg(not(feature = "axum"))]
fn original_path<B>(request: &http::Request<B>) -> &str {
    request.uri().path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_header() {
        let request = http::Request::get("/v1/users?key=canary").header("x-api-key", "canary");
        let request = request.header("authorization", "Bearer canary").body(()).unwrap();
        let head = format!("{:?}", Head::of(&request));
        assert!(!head.contains("canary"), "{head}");
        assert!(head.contains("/v1/users") && head.contains("x-api-key"), "{head}");
    }
}
