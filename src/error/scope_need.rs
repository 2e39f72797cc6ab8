//! The lists of a route that name a scope.

use std::fmt;

/// Which list of a route names a scope. A request needs each list: all scopes of the first, one of the second,
/// and all scopes of one set.
///
/// [`Display`](fmt::Display) prints `all_of`, `any_of` or `any_of_sets[1]`.
///
/// ```
/// use tower_api_key::rules::ScopeNeed;
///
/// assert_eq!(ScopeNeed::Set(1).to_string(), "any_of_sets[1]");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeNeed {
    /// [`Route::all_of`](crate::rules::Route::all_of): the key needs this scope.
    AllOf,
    /// [`Route::any_of`](crate::rules::Route::any_of): the key needs this scope or another of the list.
    AnyOf,
    /// [`Route::any_of_sets`](crate::rules::Route::any_of_sets): the key needs this scope and the others of its set, or
    /// another set. The number is the set's index in the list: 0 for the first.
    Set(usize),
}

impl fmt::Display for ScopeNeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllOf => formatter.write_str("all_of"),
            Self::AnyOf => formatter.write_str("any_of"),
            Self::Set(index) => write!(formatter, "any_of_sets[{index}]"),
        }
    }
}
