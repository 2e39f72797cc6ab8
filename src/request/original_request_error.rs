//! Why a proxy's question cannot be answered.

use http::{HeaderName, StatusCode};

/// The reason why a gate with [`forward_auth`](crate::ApiKeyLayerBuilder::forward_auth) does not judge a question.
///
/// The answer has it in its extensions, for the operator's log. The text holds no value of the request.
///
/// ```
/// use http::HeaderName;
/// use tower_api_key::request::OriginalRequestError;
///
/// let error = OriginalRequestError::Missing { header: HeaderName::from_static("x-original-uri") };
/// assert_eq!(error.status(), 500); // a mistake in the proxy's configuration
/// assert_eq!(
///     error.to_string(),
///     "forward auth: the proxy sent no `x-original-uri`: set it in the proxy's configuration"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginalRequestError {
    /// The peer is no trusted proxy. Any client could write the headers that describe the original request.
    #[error("forward auth: the peer is no trusted proxy: list its network, or do not ask directly")]
    Untrusted,
    /// The proxy did not send a header that states a part of the original request.
    #[error("forward auth: the proxy sent no `{header}`: set it in the proxy's configuration")]
    Missing {
        /// The name of the header.
        header: HeaderName,
    },
    /// A header that states a part of the original request has more than one line. One of them may be the client's.
    #[error("forward auth: the proxy sent `{header}` twice: let it overwrite the client's header")]
    Repeated {
        /// The name of the header.
        header: HeaderName,
    },
    /// The path of the question does not begin with the configured prefix.
    #[error("forward auth: the question has another path than the configured one")]
    Elsewhere,
    /// The original request has a method or a path that the gate could not judge as the upstream server reads it.
    #[error("forward auth: the {part} of the original request is not valid")]
    Unreadable {
        /// `method` or `path`.
        part: &'static str,
    },
}

impl OriginalRequestError {
    /// Returns the status of the answer: 400 if the client caused it, 403 for an untrusted peer, and 500 for a mistake
    /// in the proxy's configuration. No proxy takes any of them for access.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Untrusted => StatusCode::FORBIDDEN,
            Self::Missing { .. } | Self::Repeated { .. } | Self::Elsewhere => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Unreadable { .. } => StatusCode::BAD_REQUEST,
        }
    }
}
