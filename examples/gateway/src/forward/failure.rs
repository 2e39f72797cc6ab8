//! The gateway's own answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::response_body::ResponseBody;
use crate::upstream::SendError;

/// An answer of the gateway itself. Its text names no server and nothing of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    text: &'static str,
}

/// The answer to more content than a route takes.
pub(super) const TOO_LARGE: Failure =
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the content of the request is too large\n");

impl Failure {
    pub(super) const fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text }
    }

    pub(super) fn of(error: &SendError) -> Self {
        match error {
            SendError::Unreachable(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "no server of the upstream can be reached\n")
            }
            SendError::TooSlow => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "the upstream does not answer in time\n")
            }
            SendError::Broken(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "the upstream broke the exchange off\n")
            }
            SendError::Incomplete => {
                Self::new(StatusCode::BAD_REQUEST, "the content of the request is incomplete\n")
            }
            SendError::TooLarge => TOO_LARGE,
            SendError::Unsendable => {
                Self::new(StatusCode::BAD_REQUEST, "the request cannot be forwarded\n")
            }
        }
    }

    pub(super) fn into_response(self) -> Response<ResponseBody> {
        let mut response =
            Response::new(ResponseBody::own(Bytes::from_static(self.text.as_bytes())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
