//! The filter of the audit trail.

use super::change::Change;

/// Chooses lines of the audit trail. A field that is `None` matches all lines.
///
/// ```
/// use tower_api_key::store::TrailFilter;
///
/// assert_eq!(TrailFilter::key("key_1").key.as_deref(), Some("key_1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailFilter {
    /// Changes of this key.
    pub key: Option<String>,
    /// Changes of this account and its keys.
    pub account: Option<String>,
}

impl TrailFilter {
    /// Chooses the changes of a key.
    pub fn key(id: impl AsRef<str>) -> Self {
        Self { key: Some(id.as_ref().to_owned()), ..Self::default() }
    }

    /// Chooses the changes of an account and its keys.
    pub fn account(id: impl AsRef<str>) -> Self {
        Self { account: Some(id.as_ref().to_owned()), ..Self::default() }
    }

    /// Returns true if the filter matches a line.
    pub fn chooses(&self, change: &Change) -> bool {
        self.key.as_ref().is_none_or(|key| change.key.as_ref() == Some(key))
            && self.account.as_ref().is_none_or(|account| change.account == *account)
    }
}
