//! The part of a request that a decision reads.

use std::fmt;

use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, EXPECT, ORIGIN, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, Method, Uri, Version};

use super::websocket::{Handshake, is_extended_connect, is_upgrade};

/// Borrows the method, path and headers of a request.
///
/// The path is the one that the client sent, in origin form and without the query. Scheme and authority
/// of the request target do not count, because the client can write anything there.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// The method.
    pub(crate) method: &'a Method,
    /// The path, still percent-encoded.
    pub(crate) path: &'a str,
    /// The URI, whose query may have the key. Its path may have been cut.
    pub(super) uri: &'a Uri,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    pub(super) version: Version,
    /// Whether this is a WebSocket handshake of HTTP/2, whose method is `CONNECT`.
    pub(crate) is_extended_connect: bool,
}

impl<'a> Head<'a> {
    /// Borrows the head of a request. The path is the original one, even if an outer router has cut it.
    pub(crate) fn of<B>(request: &'a http::Request<B>) -> Self {
        Self {
            method: request.method(),
            path: original_path(request),
            uri: request.uri(),
            headers: request.headers(),
            version: request.version(),
            is_extended_connect: is_extended_connect(request),
        }
    }

    /// Returns true for a request that the route of `GET` is for: a `HEAD`, and an extended `CONNECT`, which is what
    /// HTTP/2 has for the `GET` of a WebSocket handshake (RFC 8441 §5). A plain `CONNECT` has no path (RFC 9113 §8.5).
    #[inline]
    pub(crate) fn is_like_get(&self) -> bool {
        match *self.method {
            Method::HEAD => true,
            Method::CONNECT => !self.uri.path().is_empty(),
            _ => false,
        }
    }

    /// Returns the query, still percent-encoded. It may have the key.
    pub(crate) fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    /// Returns the WebSocket handshake of this request, if it is one.
    pub(crate) fn handshake(&self) -> Option<Handshake> {
        if self.is_extended_connect {
            return Some(Handshake::ExtendedConnect);
        }
        is_upgrade(self.method, self.version, self.headers).then_some(Handshake::Upgrade)
    }

    /// Returns true for a complete CORS preflight (Fetch §4.8): `OPTIONS` with one `Origin`, one
    /// `Access-Control-Request-Method` and no content.
    ///
    /// A request that may send content later is no preflight: after `100 Continue` (`Expect`), or in
    /// another protocol (`Upgrade`). Only header fields are checked. A body of HTTP/2 or HTTP/3 without
    /// `Content-Length` does not show in them.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
            && self.has_one(&ORIGIN, |origin| {
                origin.iter().all(|&b| b.is_ascii_graphic() && b != b',')
            })
            && self.has_one(&ACCESS_CONTROL_REQUEST_METHOD, |name| Method::from_bytes(name).is_ok())
            && [TRANSFER_ENCODING, EXPECT, UPGRADE]
                .iter()
                .all(|name| !self.headers.contains_key(name))
            && self.headers.get_all(CONTENT_LENGTH).iter().all(|length| length == "0")
    }

    /// Returns true if a field has one line with one value of its grammar.
    fn has_one(&self, name: &HeaderName, is_one: fn(&[u8]) -> bool) -> bool {
        let mut lines = self.headers.get_all(name).iter();
        let fits = |line: &http::HeaderValue| !line.is_empty() && is_one(line.as_bytes());
        lines.next().is_some_and(fits) && lines.next().is_none()
    }
}

/// Prints the names of the headers but no values, and no query. One of them has the key, and only a profile
/// knows which one.
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
use super::original_path::original_path;

/// Returns the path of the request target.
#[cfg(not(feature = "axum"))]
fn original_path<B>(request: &http::Request<B>) -> &str {
    request.uri().path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preflight_is_one_in_full() {
        let preflight = |change: fn(http::request::Builder) -> http::request::Builder| {
            let request = http::Request::options("/v1/users");
            change(request.header("origin", "https://app.example.com")).body(()).unwrap()
        };
        for (request, expected) in [
            (preflight(|it| it.header("access-control-request-method", "PUT")), true),
            (preflight(|it| it), false),
            (preflight(|it| it.header("access-control-request-method", "")), false),
            (preflight(|it| it.header("access-control-request-method", "GET, PUT")), false),
            (preflight(|it| it.header("access-control-request-method", "G T")), false),
            (
                http::Request::options("/")
                    .header("origin", "https://a.example, https://b.example")
                    .header("access-control-request-method", "PUT")
                    .body(())
                    .unwrap(),
                false,
            ),
            (
                http::Request::options("/")
                    .header("origin", "null")
                    .header("access-control-request-method", "PUT")
                    .body(())
                    .unwrap(),
                true,
            ),
            (preflight(|it| it.header("access-control-request-method", "A").method("GET")), false),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("access-control-request-method", "GET")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("origin", "https://other.example.com")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("content-length", "0")
                }),
                true,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("content-length", "1")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("content-length", "0").header("content-length", "7")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("transfer-encoding", "chunked")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("expect", "100-continue")
                }),
                false,
            ),
            (
                preflight(|it| {
                    let it = it.header("access-control-request-method", "PUT");
                    it.header("connection", "upgrade").header("upgrade", "websocket")
                }),
                false,
            ),
        ] {
            assert_eq!(Head::of(&request).is_preflight(), expected, "{request:?}");
        }
    }

    #[test]
    fn debug_shows_no_header() {
        let request = http::Request::get("/v1/users?key=canary").header("x-api-key", "canary");
        let request = request.header("authorization", "Bearer canary").body(()).unwrap();
        let head = format!("{:?}", Head::of(&request));
        assert!(!head.contains("canary"), "{head}");
        assert!(head.contains("/v1/users") && head.contains("x-api-key"), "{head}");
    }
}
