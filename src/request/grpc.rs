//! Calls of gRPC, as their requests show them.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use super::head::Head;
use crate::error::ConfigError;

/// The media type of gRPC. A suffix names the encoding of the messages: `application/grpc+proto`.
const GRPC: &[u8] = b"application/grpc";

/// The gRPC services behind a gate, each as the start of its methods' paths.
#[derive(Debug, Default)]
pub(crate) struct GrpcServices(pub(super) Box<[String]>);

impl GrpcServices {
    /// Takes the full names of services, such as `vendors.v1.Users`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::GrpcService`] if this is no name of a service.
    pub(crate) fn new(names: Vec<String>) -> Result<Self, ConfigError> {
        let paths = names.into_iter().map(|name| {
            let is_name = name.split('.').all(is_identifier);
            is_name.then(|| format!("/{name}/")).ok_or(ConfigError::GrpcService { name })
        });
        Ok(Self(paths.collect::<Result<_, _>>()?))
    }

    /// Takes every path for that of a method.
    pub(crate) fn all() -> Self {
        Self(Box::new(["/".to_owned()]))
    }

    /// Returns true without a service.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true for a call of one of the services. The client chooses the content type of a request, so a
    /// request of another path is none.
    pub(crate) fn is_call(&self, head: Head<'_>) -> bool {
        is_call(head.method, head.headers)
            && self.0.iter().any(|service| head.path.starts_with(&**service))
    }
}

/// Returns true for an identifier of protocol buffers.
fn is_identifier(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns true for a `POST` with one `Content-Type` that begins with `application/grpc`
/// (gRPC over HTTP2, "Requests").
///
/// Two lines make no call, because the service could read the other one.
fn is_call(method: &Method, headers: &HeaderMap) -> bool {
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
            assert_eq!(is_call(&method, &headers), expected, "{method} {lines:?}");
        }
    }
}
