//! The form of a refusal.

use http::Method;

/// The form in which the gate refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// HTTP, with the body of the profile's row.
    Full,
    /// HTTP without content, for `HEAD` (RFC 9110 §9.3.2).
    HeadersOnly,
    /// The trailers of a gRPC call, sent as headers.
    Grpc,
}

impl AnswerForm {
    /// Returns the form for a request with this method. Only a `POST` can be a gRPC call, so `is_grpc` reads
    /// the headers of no other.
    #[inline]
    pub(crate) fn of(method: &Method, is_grpc: impl FnOnce() -> bool) -> Self {
        match *method {
            Method::HEAD => Self::HeadersOnly,
            Method::POST if is_grpc() => Self::Grpc,
            _ => Self::Full,
        }
    }
}
