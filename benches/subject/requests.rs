//! Requests with a key, as a server hands them to its service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, Request};
use tower_api_key::request::Connection;

use super::gates::GRPC_SERVICE;

/// Writes a key as `Authorization`.
pub(crate) type Authorize = fn(&str) -> Option<HeaderValue>;

pub(crate) fn bearer(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {key}")).ok()
}

pub(crate) fn basic(key: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("api:{key}")))).ok()
}

/// Makes a `GET` over TLS.
pub(crate) fn request(path: &str, authorization: Option<HeaderValue>) -> Request<()> {
    let peer = "192.0.2.1:4711".parse().expect("an address");
    let mut request = Request::get(path)
        .header("host", "api.example.com")
        .header("user-agent", "benchmark")
        .header("accept", "*/*")
        .extension(Connection::tls(peer))
        .body(())
        .expect("valid");
    if let Some(value) = authorization {
        request.headers_mut().insert("authorization", value);
    }
    request
}

/// Makes a call of a gRPC method over TLS, with the headers that clients of gRPC send.
pub(crate) fn call_of_grpc(authorization: Option<HeaderValue>) -> Request<()> {
    let mut request = request(&format!("/{GRPC_SERVICE}/ListUsers"), authorization);
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.remove("accept");
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    request
}
