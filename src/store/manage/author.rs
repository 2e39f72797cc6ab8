//! The author of a change.

use crate::key::{InvalidRecord, check_text};
use crate::policy::PolicyAction;

/// The author of the changes that the [`Rehasher`](super::super::Rehasher) makes.
pub(in super::super) const REHASHER: &str = "rehasher";

/// The authors of changes that tasks of a store make: the sweep of policies, and the [`Rehasher`](super::super::Rehasher).
/// A store refuses a command by one of these authors, because a person would pass for such a task in the audit trail. The
/// sweep of policies takes no change by `policy` for one by somebody, so it would switch the key off too soon.
pub const RESERVED_AUTHORS: [&str; 2] = [PolicyAction::AUTHOR, REHASHER];

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
/// [`InvalidRecord::Text`] if the name has control characters, line breaks or marks of writing direction, or more bytes
/// than [`MAX_TEXT_BYTES`](crate::key::MAX_TEXT_BYTES).
pub fn check_author(by: &str) -> Result<(), InvalidRecord> {
    Ok(check_text("the author of a change", by)?)
}

/// Checks that an author is none of the [`RESERVED_AUTHORS`]. [`CommandOptions::check`](super::CommandOptions::check) calls
/// this. A program that names the authors of changes by keys or people can refuse such a name earlier.
///
/// ```
/// use tower_api_key::store::check_unreserved;
///
/// assert!(check_unreserved("ada").is_ok());
/// assert!(check_unreserved("policy").is_err());
/// ```
///
/// # Errors
///
/// [`InvalidRecord::ReservedAuthor`] for a reserved name.
pub fn check_unreserved(by: &str) -> Result<(), InvalidRecord> {
    match RESERVED_AUTHORS.into_iter().find(|reserved| *reserved == by) {
        Some(reserved) => Err(InvalidRecord::ReservedAuthor(reserved)),
        None => Ok(()),
    }
}
