//! Calls of gRPC, as their requests show them.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

/// The media type of gRPC. A suffix names the encoding of the messages: `application/grpc+proto`.
const GRPC: &[u8] = b"application/grpc";

/// Returns true for a gRPC call: `POST` with one `Content-Type` that begins with `application/grpc`
/// (gRPC over HTTP2, "Requests").
///
/// Two lines make no call, because the service could read the other one. Only `POST` counts: a proxy that asks
/// this gate about a request asks with `GET`, copies the client's headers, and reads the HTTP status.
pub(crate) fn is_grpc_call(method: &Method, headers: &HeaderMap) -> bool {
    if method != Method::POST {
        return false;
    }
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let is_grpc = lines.next().is_some_and(|line| is_grpc_type(line.as_bytes()));
    is_grpc && lines.next().is_none()
}

/// Returns true for a media type of gRPC, in any case. gRPC-Web is another protocol.
pub(crate) fn is_grpc_type(value: &[u8]) -> bool {
    let Some((name, rest)) = value.trim_ascii().split_at_checked(GRPC.len()) else { return false };
    name.eq_ignore_ascii_case(GRPC)
        && (rest.starts_with(b"+") || matches!(rest.trim_ascii_start().first(), None | Some(b';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_post_with_one_type_of_grpc_is_a_call() {
        for (method, lines, expected) in [
            ("POST", &["application/grpc"][..], true),
            ("POST", &["application/grpc+proto"], true),
            ("POST", &["application/grpc+json; charset=utf-8"], true),
            ("POST", &["application/grpc;a=b"], true),
            ("POST", &["application/grpc ; a=b"], true),
            ("POST", &["Application/GRPC"], true),
            ("POST", &["application/grpc, application/json"], false),
            ("POST", &["application/grpc application/json"], false),
            ("POST", &[" application/grpc\t"], true),
            ("POST", &["application/grpc-web"], false),
            ("POST", &["application/grpc-web+proto"], false),
            ("POST", &["application/grpcx"], false),
            ("POST", &["application/grp"], false),
            ("POST", &["application/json"], false),
            ("POST", &[""], false),
            ("POST", &[], false),
            ("POST", &["application/grpc", "application/json"], false),
            ("POST", &["application/grpc", "application/grpc"], false),
            ("GET", &["application/grpc"], false),
            ("HEAD", &["application/grpc"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_TYPE, line.parse().unwrap());
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(is_grpc_call(&method, &headers), expected, "{method} {lines:?}");
        }
    }
}
