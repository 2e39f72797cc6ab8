//! The headers that a profile cannot name as its own.

use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};

use crate::request::is_of_the_connection;

/// The headers that the gate itself writes.
const OF_THE_GATE: [HeaderName; 5] =
    [CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE];

/// Returns true if the gate, gRPC or the connection uses the header.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let is_grpcs = name.as_str().starts_with("grpc-");
    is_of_the_connection(name) || is_grpcs || OF_THE_GATE.contains(name)
}
