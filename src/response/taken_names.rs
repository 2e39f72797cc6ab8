//! The names of headers that a profile writes already.

use http::HeaderName;

use super::limit_headers::PreparedLimitHeaders;
use super::principal::PrincipalHeaders;
use super::request_ids::RequestIds;
use super::reserved::is_reserved;

/// Returns the problem of a header's name that HTTP, the gate or another part of the profile uses.
pub(super) fn used_elsewhere(
    name: &HeaderName,
    limits: &PreparedLimitHeaders,
    principal: &PrincipalHeaders,
    ids: Option<&RequestIds>,
) -> Option<&'static str> {
    if is_reserved(name) {
        Some("HTTP, gRPC or the gate itself uses this header: choose another name")
    } else if limits.has(name) {
        Some("the profile's `limit_headers` write this header: choose another name")
    } else if principal.has(name) {
        Some("the profile's `principal_headers` have this header: choose another name")
    } else if ids.is_some_and(|ids| ids.name() == name) {
        Some("the profile's `request_id` writes this header: choose another name")
    } else {
        None
    }
}
