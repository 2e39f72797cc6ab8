//! A key of visible ASCII: what a vendor's own header or scheme carries.

use super::presented::MAX_CREDENTIAL_BYTES;
use crate::error::Malformation;

/// Checks that a value is visible ASCII, and has at most [`MAX_CREDENTIAL_BYTES`].
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
