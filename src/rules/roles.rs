//! Roles: names for sets of scopes, which a program changes while it serves.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use super::role_table::RoleTable;
use crate::key::{InvalidName, ScopeSet};
use crate::sync::{ArcGuard, ArcSwap};

/// Names sets of scopes. A key or an account has a role if the role's name is among its scopes. Clones share
/// the roles.
///
/// A name that is no role is a scope like any other, so a key that has a removed role has only its name. Roles do
/// not nest: a role's name among the scopes of another role is a plain scope. A wildcard or a hierarchy of
/// [`ScopeRules`](super::ScopeRules) gives a key no role, but both apply to the scopes of a role.
///
/// A change counts from the next decision on. Each decision reads one version of the roles: the check of a route,
/// an [explanation](crate::ApiKeyLayer::explain), and each call of [`Grant::require`](crate::Grant::require). A
/// request that has passed the check is not checked again. Each call of [`set`](Self::set) or
/// [`remove`](Self::remove) is one change, and a decision may fall between two calls. So to move a scope to another
/// role without a gap, add it there first. Roles live in the memory of one process: set them in each.
///
/// Each key that lists the name of a new role gets the role. So choose names that no stored key lists as a
/// scope, such as `role:support`.
///
/// ```
/// use http::Request;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::rules::{Roles, Route, Routes};
/// use tower_api_key::{ApiKeyLayer, request::Connection, store::MemoryStore, vendors};
///
/// let roles = Roles::new();
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new())
///     .routes(Routes::new().get("/users", Route::new().all_of(&["users.read"])))
///     .roles(roles.clone())
///     .build()?;
///
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).scopes(["role:support"]).build()?;
/// let basic = "Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ=";
/// let request = Request::get("/users").header("authorization", basic).body(())?;
/// let passes = || {
///     let connection = Connection::tls("192.0.2.1:4711".parse().unwrap());
///     layer.explain(&request, connection, Some(&record), Timestamp::default()).decision().is_ok()
/// };
/// assert!(!passes());
/// roles.set("role:support", ["users.read", "tickets.write"])?;
/// assert!(passes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Roles(Arc<ArcSwap<RoleTable>>);

impl Default for Roles {
    fn default() -> Self {
        Self(Arc::new(ArcSwap::from_pointee(RoleTable::default())))
    }
}

impl Roles {
    /// Starts without any role.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a role, or replaces its scopes.
    ///
    /// Each gate reads the scopes by its own [`ScopeRules`](super::ScopeRules). On a gate without wildcards, `*` and
    /// `users.*` are plain names: a role with them grants no other scope there.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] if the name or a scope is not a `scope-token` (RFC 6749 §3.3) of at most 255 bytes.
    /// Then nothing is changed.
    pub fn set<S: AsRef<str>>(
        &self,
        name: impl AsRef<str>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), InvalidName> {
        let name = name.as_ref();
        // A key lists the name among its scopes, so the name has the grammar of a scope.
        ScopeSet::new([name])?;
        let (name, scopes) = (SmolStr::new(name), ScopeSet::new(scopes)?);
        self.change(|roles| roles.set(&name, &scopes));
        Ok(())
    }

    /// Removes a role. Returns whether there was one of this name.
    pub fn remove(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(|roles| removed = roles.remove(name));
        removed
    }

    /// Returns the scopes of a role; `None` if there is none of this name.
    pub fn scopes(&self, name: &str) -> Option<ScopeSet> {
        self.0.load().scopes(name).cloned()
    }

    /// Lists the roles in the order of their names, each with its scopes.
    ///
    /// ```
    /// use tower_api_key::rules::Roles;
    ///
    /// let roles = Roles::new();
    /// roles.set("role:support", ["users.read"])?;
    /// assert_eq!(roles.all()[0].0, "role:support");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    pub fn all(&self) -> Vec<(String, ScopeSet)> {
        let roles = self.0.load();
        let mut all: Vec<_> =
            roles.iter().map(|(name, scopes)| (name.to_string(), scopes.clone())).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// Returns the roles as they are now.
    pub(super) fn load(&self) -> ArcGuard<Arc<RoleTable>> {
        self.0.load()
    }

    fn change(&self, mut change: impl FnMut(&mut RoleTable)) {
        self.0.rcu(|roles| {
            let mut roles = RoleTable::clone(roles);
            change(&mut roles);
            roles
        });
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.0.load().iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_change_changes_nothing() {
        let roles = Roles::new();
        roles.set("support", ["users.read"]).unwrap();
        for (name, scope) in [("two words", "a"), ("", "a"), ("support", "a b"), ("a\"b", "a")] {
            assert!(roles.set(name, [scope]).is_err(), "{name}");
        }
        assert!(roles.scopes("support").unwrap().iter().eq(["users.read"]));
        let shown = format!("{roles:?}");
        assert!(shown.contains("support") && shown.contains("users.read"), "{shown}");
        assert!(roles.remove("support") && !roles.remove("support"));
        assert!(roles.scopes("support").is_none());
    }

    #[test]
    fn clones_share_the_roles_and_no_change_is_lost() {
        let roles = Roles::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let roles = roles.clone();
                scope.spawn(move || {
                    (0..50).for_each(|number| {
                        roles.set(format!("{thread}-{number}"), ["a"]).unwrap();
                    });
                });
            }
        });
        assert_eq!(roles.load().iter().len(), 200);
    }
}
