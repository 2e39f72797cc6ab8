//! The author of a change.

use crate::key::{InvalidRecord, check_text};

/// Checks the name of the author of a change. Every store calls this before it makes a change.
///
/// Control characters and line breaks are refused, because they could forge lines of the audit trail.
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
/// [`InvalidRecord::Text`] if the name has control characters, line breaks or marks of writing direction.
pub fn check_author(by: &str) -> Result<(), InvalidRecord> {
    Ok(check_text("the author of a change", by)?)
}
