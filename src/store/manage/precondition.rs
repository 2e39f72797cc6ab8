//! The condition of a change.

use super::error::ManageError;
use super::version::Version;

/// The condition of a change. The store checks it in the transaction that makes the change, so of two editors who
/// saw the same state only one succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precondition {
    /// The change has no condition.
    #[default]
    None,
    /// No key or account has this id. Without this condition, saving an account replaces it.
    Absent,
    /// The key or account still has this version.
    Version(Version),
}

impl Precondition {
    /// Checks the condition against the present version: `None` if no key or account has the id.
    ///
    /// # Errors
    ///
    /// [`ManageError::PreconditionFailed`] if the condition does not hold.
    pub fn check(self, present: Option<Version>) -> Result<(), ManageError> {
        let holds = match self {
            Self::None => true,
            Self::Absent => present.is_none(),
            Self::Version(version) => present == Some(version),
        };
        if holds { Ok(()) } else { Err(ManageError::PreconditionFailed) }
    }
}
