//! The trailers of a message (RFC 9110 §6.5).

use bytes::Bytes;
use http::HeaderName;
use http_body::Frame;

use super::{fields, forwarded};

/// Fields that mean something about a whole message, and only before its content.
const NEVER: [&str; 9] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "set-cookie",
];

/// Removes a request's trailers that a server could merge into fields which it trusts: those that are written by the
/// gateway only, those that describe the request, and names that some servers read as another one.
pub(crate) fn strip_request_trailers(frame: Frame<Bytes>, refused: &[HeaderName]) -> Frame<Bytes> {
    strip(frame, |name| {
        is_never(name)
            || refused.contains(name)
            || !fields::is_plain(name)
            || forwarded::describes_request(name)
            || name.as_str().starts_with("proxy-")
    })
}

/// Removes a response's trailers that frame or route a message, and those of one connection. What gRPC sends stays.
pub(super) fn strip_response_trailers(frame: Frame<Bytes>, refused: &[HeaderName]) -> Frame<Bytes> {
    strip(frame, |name| is_never(name) || refused.contains(name))
}

fn strip(frame: Frame<Bytes>, is_refused: impl Fn(&HeaderName) -> bool) -> Frame<Bytes> {
    match frame.into_trailers() {
        Err(data) => data,
        Ok(mut trailers) => {
            let refused: Vec<HeaderName> =
                trailers.keys().filter(|name| is_refused(name)).cloned().collect();
            for name in &refused {
                trailers.remove(name);
            }
            Frame::trailers(trailers)
        }
    }
}

fn is_never(name: &HeaderName) -> bool {
    NEVER.contains(&name.as_str()) || fields::is_of_the_connection(name)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn trailers_describe_neither_client_nor_request() {
        for (name, expected) in [
            ("x-sum", true),
            ("grpc-status", true),
            ("x-real-ip", false),
            ("true-client-ip", false),
            ("cf-connecting-ip", false),
            ("x-original-url", false),
            ("x-http-method-override", false),
            ("x-forwarded-for", false),
            ("forwarded", false),
            ("proxy-authorization", false),
            ("x_real_ip", false),
            ("content-length", false),
            ("x-account-id", false),
        ] {
            let name = HeaderName::from_static(name);
            let trailers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("1"))]);
            let refused = [HeaderName::from_static("x-account-id")];
            let kept = strip_request_trailers(Frame::trailers(trailers), &refused);
            assert_eq!(kept.into_trailers().unwrap().contains_key(&name), expected, "{name}");
        }
    }
}
