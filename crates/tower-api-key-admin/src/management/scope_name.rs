//! How an error names a scope of the request.

use std::fmt;

use tower_api_key::rules::Roles;

use super::scopes::ALL;

/// A scope of the request in the text of an error.
///
/// A scope is no secret, and a text in the list of scopes may be one: a secret in the wrong place. So an error repeats only
/// what the deployment knows as a scope, and names anything else by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeName {
    /// A scope of the catalogue or of management, or a role.
    Known(String),
    /// The place, from 1, of another text among the sorted scopes.
    Place(usize),
}

impl ScopeName {
    /// Names the scope at an index of the sorted scopes.
    pub(super) fn of(scope: &str, index: usize, is_known: bool) -> Self {
        if is_known { Self::Known(scope.to_owned()) } else { Self::Place(index + 1) }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(scope) => write!(formatter, "the scope `{scope}`"),
            Self::Place(place) => write!(formatter, "scope {place} of the sorted scopes"),
        }
    }
}

/// Returns true for a scope that the deployment knows: one of the catalogue or of management, or a role.
pub(super) fn is_known(scope: &str, catalogue: &[(String, String)], roles: Option<&Roles>) -> bool {
    catalogue.iter().any(|(name, _)| name == scope)
        || ALL.contains(&scope)
        || roles.is_some_and(|roles| roles.scopes(scope).is_some())
}
