//! Sets of permission scopes.

use std::sync::Arc;

use super::name::{InvalidName, check_scope};

/// Holds the scopes of a key or an account: any names, the vendor's list being never exhaustive.
///
/// Clones share one allocation.
///
/// ```
/// use tower_api_key::key::ScopeSet;
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidName> {
/// let scopes = ScopeSet::new(["users.read", "users.write"])?;
/// assert!(scopes.contains("users.read"));
/// assert!(!scopes.contains("users"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(Arc<[Box<str>]>);

impl ScopeSet {
    /// Collects scope names; repeated ones count once.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] if a name is not a `scope-token` (RFC 6749 §3.3) of at most 255 bytes.
    pub fn new<S: Into<Box<str>>>(
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, InvalidName> {
        let mut names: Vec<Box<str>> = scopes.into_iter().map(Into::into).collect();
        for name in &names {
            check_scope(name)?;
        }
        names.sort_unstable();
        names.dedup();
        Ok(Self(names.into()))
    }

    /// Tells whether the set has exactly this scope; there are no wildcards and no hierarchy.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|name| (**name).cmp(scope)).is_ok()
    }

    /// Lists the scopes in alphabetical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// Tells whether the set has no scope.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
