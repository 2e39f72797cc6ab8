//! Fields that hold a list (RFC 9110 §5.6.1).

use http::{HeaderMap, HeaderName};

/// Lists the elements of a field, empty ones included. Several lines are one list (RFC 9110 §5.3).
pub(crate) fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|line| entries(line.as_bytes()))
}

/// Lists the elements of one line.
pub(super) fn entries(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}
