//! A header of the vendor's own, whose whole value is the key.

use super::presented::MAX_CREDENTIAL_BYTES;
use crate::error::Malformation;

/// Checks that a value is visible ASCII, and nothing else.
pub(super) fn key(value: &[u8]) -> Result<&[u8], Malformation> {
    if value.is_empty() {
        Err(Malformation::Empty)
    } else if value.len() > MAX_CREDENTIAL_BYTES {
        Err(Malformation::TooLong)
    } else if !value.iter().all(u8::is_ascii_graphic) {
        Err(Malformation::Alphabet)
    } else {
        Ok(value)
    }
}
