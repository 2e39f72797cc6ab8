//! Names of header fields in a configuration.

use http::HeaderName;
use http::header;

use crate::error::ConfigError;

/// Reads the name of a field in any case, because names are compared without regard to case (RFC 9110
/// §5.1).
pub(crate) fn field_name(what: &'static str, name: &str) -> Result<HeaderName, ConfigError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| ConfigError::Header {
        what,
        value: name.to_owned(),
        problem: "a header name may have letters, digits and !#$%&'*+-.^_`|~ only",
    })
}

/// Returns true if HTTP defines the value of a field, because it belongs to the connection or frames
/// the message.
pub(crate) fn is_of_the_connection(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::HOST,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ]
    .contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}
