//! How a request ended.

use http::StatusCode;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEnd {
    /// With a response of this status. The body may still be on its way.
    Answered(StatusCode),
    /// The inner service returned an error instead of a response.
    Failed,
    /// The client hung up before the response, or the inner service panicked.
    HungUp,
}

impl RequestEnd {
    /// Returns the status of the response.
    pub const fn status(self) -> Option<StatusCode> {
        match self {
            Self::Answered(status) => Some(status),
            Self::Failed | Self::HungUp => None,
        }
    }
}
