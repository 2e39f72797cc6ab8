//! Who makes a change.

use crate::key::{InvalidRecord, check_text};

/// Checks the name of who makes a change, as every store does before it makes one: no control characters,
/// no line breaks, which could forge lines of the audit trail.
///
/// ```
/// use tower_api_key::store::check_author;
///
/// assert!(check_author("ada@example.com").is_ok());
/// assert!(check_author("eve\rada").is_err());
/// ```
///
/// # Errors
///
/// [`InvalidRecord::Text`].
pub fn check_author(by: &str) -> Result<(), InvalidRecord> {
    Ok(check_text("the name of who makes a change", by)?)
}
