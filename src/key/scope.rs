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

    /// Returns the first name that two sets share. Searches each name of the smaller set in the larger one.
    pub(crate) fn first_shared<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let is_smaller = self.names().len() <= other.names().len();
        let (few, many) = if is_smaller { (self, other) } else { (other, self) };
        few.iter().find(|name| many.contains(name))
    }

    /// Adds a name, which must be valid. Clones keep what they have.
    pub(crate) fn insert(&mut self, name: &SmolStr) {
        let names = Arc::make_mut(self.0.get_or_insert_default());
        if let Err(place) = names.binary_search(name) {
            names.insert(place, name.clone());
        }
    }

    /// Removes a name, if the set has it. Clones keep what they have.
    pub(crate) fn remove(&mut self, name: &str) {
        let Some(names) = &mut self.0 else { return };
        if let Ok(place) = names.binary_search_by(|listed| listed.as_str().cmp(name)) {
            let names = Arc::make_mut(names);
            names.remove(place);
            if names.is_empty() {
                self.0 = None;
            }
        }
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
    fn names_that_two_sets_share() {
        for (one, other, shared) in [
            ("", "", None),
            ("a", "", None),
            ("a c", "b", None),
            ("a c", "c", Some("c")),
            ("a b c", "d c b", Some("b")),
        ] {
            let (one, other): (ScopeSet, ScopeSet) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(one.first_shared(&other), shared, "{one}, {other}");
            assert_eq!(other.first_shared(&one), shared, "{other}, {one}");
        }
    }

    #[test]
    fn a_change_keeps_the_order_and_leaves_clones_alone() {
        let mut scopes = ScopeSet::default();
        for name in ["b", "a", "c", "a"] {
            scopes.insert(&SmolStr::new(name));
        }
        let clone = scopes.clone();
        scopes.remove("b");
        scopes.remove("other");
        assert_eq!((scopes.to_string(), clone.to_string()), ("a c".into(), "a b c".into()));
        scopes.remove("a");
        scopes.remove("c");
        scopes.remove("c");
        assert_eq!(scopes, ScopeSet::default());
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
