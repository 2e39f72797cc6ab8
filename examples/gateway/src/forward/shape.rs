//! Refuses requests whose shape two servers can read differently.

use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use super::failure::Failure;
use super::{fields, path, upgrade};

/// Checks the shape of a request: its method, its target and its framing.
///
/// The server has refused broken lengths before. It reads a message with both framings by its chunks, as RFC 9112
/// §6.3 wants, and closes the connection after it.
///
/// # Errors
///
/// [`Failure`] with the status for the client.
pub(super) fn check(parts: &Parts) -> Result<(), Failure> {
    let is_socket = upgrade::is_extended_connect(parts);
    if parts.method == Method::CONNECT && !is_socket {
        // Its target must not decide where the gateway connects.
        return Err(Failure::new(StatusCode::BAD_REQUEST, "the request target has no path\n"));
    }
    if parts.method == Method::TRACE {
        // The answer would show the fields that the gateway has added.
        return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "TRACE is not forwarded\n"));
    }
    let target = parts.uri.path();
    let is_whole_server = parts.method == Method::OPTIONS && target == "*";
    if !target.starts_with('/') && !is_whole_server {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "the request target has no path\n"));
    }
    if path::is_ambiguous(target) {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "the path is ambiguous\n"));
    }
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        // Another coding below `chunked` would be forwarded as content without its name.
        let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !is_chunked || codings.next().is_some() || parts.version != Version::HTTP_11 {
            let text = "only the transfer coding chunked is served\n";
            return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, text));
        }
    }
    if parts.headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "the request has two lengths\n"));
    }
    if fields::names_a_field(&parts.headers) {
        let text = "Connection names a field that is for every recipient\n";
        return Err(Failure::new(StatusCode::BAD_REQUEST, text));
    }
    // RFC 9113 §8.2.2: fields of a connection make a request of HTTP/2 malformed.
    if parts.version == Version::HTTP_2 && parts.headers.contains_key(UPGRADE) {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "HTTP/2 has no Upgrade\n"));
    }
    let mut expectations = parts.headers.get_all(EXPECT).iter();
    if expectations.any(|expected| !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        let text = "only 100-continue can be expected\n";
        return Err(Failure::new(StatusCode::EXPECTATION_FAILED, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn shapes_are_checked_behind_any_gate() {
        let one = Version::HTTP_11;
        for (version, method, target, lines, expected) in [
            (one, "GET", "/a", &[][..], None),
            (one, "OPTIONS", "*", &[], None),
            (
                one,
                "POST",
                "/a",
                &[("transfer-encoding", "Chunked"), ("expect", "100-Continue")],
                None,
            ),
            (Version::HTTP_2, "GET", "https://a.example", &[], None),
            (one, "CONNECT", "a.example:80", &[], Some(400)),
            (one, "GET", "*", &[], Some(400)),
            (one, "GET", "a", &[], Some(400)),
            (one, "TRACE", "/a", &[], Some(405)),
            (one, "GET", "/a/../b", &[], Some(400)),
            (one, "POST", "/a", &[("transfer-encoding", "gzip, chunked")], Some(501)),
            (Version::HTTP_2, "POST", "/a", &[("transfer-encoding", "chunked")], Some(501)),
            (Version::HTTP_2, "GET", "/a", &[("upgrade", "websocket")], Some(400)),
            (one, "POST", "/a", &[("content-length", "1"), ("content-length", "1")], Some(400)),
            (one, "POST", "/a", &[("expect", "x")], Some(417)),
            (one, "GET", "/a", &[("connection", "close, x-a"), ("x-b", "1")], None),
            (
                one,
                "GET",
                "/a",
                &[("connection", "TE, Trailer"), ("te", "a"), ("trailer", "b")],
                None,
            ),
            (one, "GET", "/a", &[("connection", "close, X-A"), ("x-a", "1")], Some(400)),
            (one, "GET", "/a", &[("connection", "\"x\", x-a"), ("x-a", "1")], Some(400)),
        ] {
            let mut request = Request::builder().version(version).method(method).uri(target);
            for (name, value) in lines {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let status =
                check(&parts).err().map(|failure| failure.into_response().status().as_u16());
            assert_eq!(status, expected, "{version:?} {method} {target} {lines:?}");
        }
    }
}
