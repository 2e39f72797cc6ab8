//! The error for a quota that cannot be counted.

/// The error for a quota that cannot be counted. The text names the quota and the remedy.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Quota, Quotas};
///
/// let error = Quotas::new([Quota::new("blink", 5, Duration::from_millis(100))]).unwrap_err();
/// assert_eq!(error.to_string(), "quota `blink`: the window must be at least one second");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota `{}`: {problem}", .name.escape_debug())]
pub struct InvalidQuota {
    name: String,
    problem: &'static str,
}

impl InvalidQuota {
    pub(crate) fn new(name: &str, problem: &'static str) -> Self {
        Self { name: name.to_owned(), problem }
    }

    /// Returns the name of the quota.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the problem and its remedy, without the name of the quota.
    pub const fn problem(&self) -> &'static str {
        self.problem
    }
}
