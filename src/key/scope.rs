//! Sets of scopes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use smol_str::SmolStr;

use super::name::{InvalidName, check_scope};

/// A set of at most this many names is searched name by name.
const FEW: usize = 8;

/// Holds the scopes of a key or an account. Any names are allowed, because no vendor's list is
/// complete.
///
/// Clones share one allocation.
///
/// ```
/// use tower_api_key::key::ScopeSet;
///
/// let scopes = ScopeSet::new(["users.read", "users.write"])?;
/// assert!(scopes.contains("users.read"));
/// assert!(!scopes.contains("users"));
/// assert_eq!(scopes.to_string(), "users.read users.write");
/// assert_eq!("users.write users.read".parse(), Ok(scopes));
/// # Ok::<(), tower_api_key::key::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ScopeSet(Option<Arc<Vec<SmolStr>>>); // `None` if empty, as in most records

impl ScopeSet {
    /// Collects scopes, without repeated ones.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] if a name is not a `scope-token` (RFC 6749 §3.3) of at most 255 bytes.
    pub fn new<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, InvalidName> {
        let check = |scope: S| check_scope(scope.as_ref()).map(|()| SmolStr::new(scope));
        let mut names: Vec<SmolStr> = scopes.into_iter().map(check).collect::<Result<_, _>>()?;
        names.sort_unstable();
        names.dedup();
        Ok(Self((!names.is_empty()).then(|| Arc::new(names))))
    }

    /// Returns true if the set has exactly this scope. What a scope grants besides itself
    /// is a choice of each gate: see [`ScopeRules`](crate::rules::ScopeRules).
    pub fn contains(&self, scope: &str) -> bool {
        // Names mostly differ in length, so comparing a few is faster than a binary search.
        match self.names() {
            few if few.len() <= FEW => few.iter().any(|name| name == scope),
            many => many.binary_search_by(|name| name.as_str().cmp(scope)).is_ok(),
        }
    }

    /// Lists the scopes in alphabetical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names().iter().map(SmolStr::as_str)
    }

    /// Returns true if the set has no scope.
    pub fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// Returns true if another set shares the allocation.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.as_ref().is_some_and(|names| Arc::strong_count(names) > 1)
    }

    fn names(&self) -> &[SmolStr] {
        self.0.as_ref().map_or(&[], |names| names.as_slice())
    }
}

impl fmt::Display for ScopeSet {
    /// Writes the scopes with one space between them, as OAuth does (RFC 6749 §3.3).
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(formatter, "{separator}{name}")?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidName;

    /// Reads scopes with one space between them. An empty text is an empty set.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() { Ok(Self::default()) } else { Self::new(text.split(' ')) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_found_among_few_and_among_many() {
        for count in [0, 1, FEW, FEW + 1, 100] {
            let names: Vec<String> = (0..count).map(|number| format!("scope.{number}")).collect();
            let scopes = ScopeSet::new(names.iter().chain(&names).rev()).unwrap();
            assert_eq!((scopes.iter().len(), scopes.is_empty()), (count, count == 0));
            assert!(names.iter().all(|name| scopes.contains(name)));
            for other in ["", "scope", "scope.", "scope.00", "scope.0 ", "Scope.0", "scope.100"] {
                assert!(!scopes.contains(other), "{other} of {count}");
            }
        }
    }

    #[test]
    fn scopes_are_separated_by_one_space() {
        for scopes in [&[][..], &["read"], &["read", "write"]] {
            let scopes = ScopeSet::new(scopes).unwrap();
            assert_eq!(scopes.to_string().parse(), Ok(scopes));
        }
        for text in [" ", "read ", " read", "read  write", "read,\twrite"] {
            assert!(text.parse::<ScopeSet>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn clones_share_one_allocation() {
        let scopes = ScopeSet::new(["users.read"]).unwrap();
        assert!(!scopes.is_shared() && !ScopeSet::default().clone().is_shared());
        let clone = scopes.clone();
        assert!(scopes.is_shared() && clone.is_shared());
        drop(clone);
        assert!(!scopes.is_shared());
    }
}
