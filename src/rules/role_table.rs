//! The roles at one instant, and which of them list a scope.

use std::collections::HashMap;

use smol_str::SmolStr;

use crate::key::ScopeSet;

/// One version of the roles. A change makes another one, so a decision can read one version throughout.
#[derive(Debug, Clone, Default)]
pub(super) struct RoleTable {
    /// The scopes of each role.
    roles: HashMap<SmolStr, ScopeSet>,
    /// The names of the roles that list a scope, by scope. A scope that no role lists is left out.
    listing: HashMap<SmolStr, ScopeSet>,
}

impl RoleTable {
    /// Adds a role, or replaces its scopes. All names must be valid.
    pub(super) fn set(&mut self, name: &SmolStr, scopes: &ScopeSet) {
        self.remove(name);
        for scope in scopes.iter() {
            self.listing.entry(SmolStr::new(scope)).or_default().insert(name);
        }
        self.roles.insert(name.clone(), scopes.clone());
    }

    /// Removes a role. Returns whether there was one of this name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let Some(scopes) = self.roles.remove(name) else { return false };
        for scope in scopes.iter() {
            if let Some(listing) = self.listing.get_mut(scope) {
                listing.remove(name);
                if listing.is_empty() {
                    self.listing.remove(scope);
                }
            }
        }
        true
    }

    /// Returns the scopes of a role.
    pub(super) fn scopes(&self, name: &str) -> Option<&ScopeSet> {
        self.roles.get(name)
    }

    /// Finds a role that lists a scope, among these names.
    pub(super) fn find_listing<'a>(&'a self, scope: &str, held: &'a ScopeSet) -> Option<&'a str> {
        self.listing.get(scope)?.first_shared(held)
    }

    /// Finds a role that lists one of these scopes, among the names that a key has. Returns the role and the scope.
    /// Goes through the smaller of the two sets.
    pub(super) fn find_listing_any<'a>(
        &'a self,
        scopes: &'a ScopeSet,
        held: &'a ScopeSet,
    ) -> Option<(&'a str, &'a str)> {
        if held.iter().len() <= scopes.iter().len() {
            held.iter().find_map(|role| Some((role, self.roles.get(role)?.first_shared(scopes)?)))
        } else {
            scopes.iter().find_map(|scope| Some((self.find_listing(scope, held)?, scope)))
        }
    }

    /// Lists the roles with their scopes.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&SmolStr, &ScopeSet)> {
        self.roles.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_that_list_a_scope_follow_each_change() {
        let mut table = RoleTable::default();
        let all = ScopeSet::new(["r", "s", "t"]).unwrap();
        let names = ["r", "s", "t"].map(SmolStr::new);
        let [r, s, t] = &names;
        let listing = |table: &RoleTable| {
            let mut shown: Vec<String> =
                table.listing.iter().map(|(scope, names)| format!("{scope}: {names}")).collect();
            shown.sort();
            shown.join(", ")
        };
        table.set(r, &ScopeSet::new(["a", "b"]).unwrap());
        table.set(s, &ScopeSet::new(["b", "c"]).unwrap());
        let before = table.clone();
        assert_eq!(listing(&table), "a: r, b: r s, c: s");
        table.set(r, &ScopeSet::new(["c"]).unwrap());
        table.set(t, &ScopeSet::default());
        assert_eq!(listing(&table), "b: s, c: r s");
        assert_eq!(table.find_listing("c", &all), Some("r"));
        assert_eq!(table.find_listing("c", &ScopeSet::new(["s", "x"]).unwrap()), Some("s"));
        assert_eq!(table.find_listing("a", &all), None);
        assert!(table.remove("s") && !table.remove("s") && table.scopes("t").is_some());
        assert_eq!((listing(&table).as_str(), table.iter().len()), ("c: r", 2));
        for (scopes, held, found) in [
            ("a b", "x", None),
            ("a b c", "r x", Some(("r", "c"))),
            ("c", "r s x", Some(("r", "c"))),
            ("a", "r s x", None),
            ("a b", "r s t", None),
        ] {
            let (scopes, held) = (scopes.parse().unwrap(), held.parse().unwrap());
            assert_eq!(table.find_listing_any(&scopes, &held), found, "{scopes} {held}");
        }
        assert_eq!(listing(&before), "a: r, b: r s, c: s", "a version stays as it is");
    }
}
