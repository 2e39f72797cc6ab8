//! How a key has a scope, for explanations.

use std::fmt;

use crate::rules::{HeldScopes, ScopeNeed};

/// A scope that the route of a request names, and how the key has it.
/// [`Explanation::scopes`](super::Explanation::scopes) lists them.
///
/// [`Display`](fmt::Display) prints `users.read: missing`, `users.read: held`, or
/// `users.read: granted by role:support > users.*`. A scope that has alternatives names its list:
/// `full: missing (any_of_sets[1])`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeFinding {
    need: ScopeNeed,
    scope: String,
    path: Option<Vec<String>>,
}

impl ScopeFinding {
    pub(super) fn new(need: ScopeNeed, scope: &str, held: &HeldScopes<'_>) -> Self {
        Self { need, scope: scope.to_owned(), path: held.path(scope) }
    }

    /// Returns the list of the route that names the scope.
    pub const fn need(&self) -> ScopeNeed {
        self.need
    }

    /// Returns the scope.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns true if the key has the scope, or a scope or a role that grants it.
    pub const fn is_held(&self) -> bool {
        self.path.is_some()
    }

    /// Lists the names that lead from a scope of the key to this scope, both included: a role, a wildcard, a
    /// scope of the hierarchy. Only this scope, if the key itself lists it. Nothing, if the key does not have it.
    pub fn path(&self) -> impl ExactSizeIterator<Item = &str> {
        self.path.as_deref().unwrap_or_default().iter().map(String::as_str)
    }
}

impl fmt::Display for ScopeFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.scope)?;
        match self.path.as_deref() {
            None => formatter.write_str("missing")?,
            Some([.., _, _]) => {
                let before = self.path.iter().flatten().take(self.path().len().saturating_sub(1));
                let names: Vec<&str> = before.map(String::as_str).collect();
                write!(formatter, "granted by {}", names.join(" > "))?;
            }
            Some(_) => formatter.write_str("held")?,
        }
        match self.need {
            ScopeNeed::AllOf => Ok(()),
            need => write!(formatter, " ({need})"),
        }
    }
}
