//! The scopes of a key, as a gate reads them.

use std::cell::OnceCell;
use std::sync::Arc;

use super::compiled_scopes::CompiledScopes;
use super::role_table::RoleTable;
use crate::key::ScopeSet;
use crate::sync::ArcGuard;

/// The scopes of a key, and the rules by which the gate reads them. Make one for each decision: it reads the
/// gate's roles at most once, so a decision never sees two versions of them.
#[derive(Debug)]
pub(crate) struct HeldScopes<'a> {
    scopes: &'a ScopeSet,
    rules: Option<&'a CompiledScopes>,
    /// The roles as they were at the first scope that the key does not list itself.
    roles: OnceCell<ArcGuard<Arc<RoleTable>>>,
}

impl<'a> HeldScopes<'a> {
    pub(crate) const fn new(scopes: &'a ScopeSet, rules: Option<&'a CompiledScopes>) -> Self {
        Self { scopes, rules, roles: OnceCell::new() }
    }

    /// Returns true if the key has the scope, or a scope or a role that grants it.
    #[inline]
    pub(crate) fn contains(&self, scope: &str) -> bool {
        self.scopes.contains(scope) || self.rules.is_some_and(|rules| self.is_granted(rules, scope))
    }

    // Kept out of the code of gates without rules.
    #[inline(never)]
    fn is_granted(&self, rules: &CompiledScopes, scope: &str) -> bool {
        rules.grants(self.scopes, self.roles(rules), scope)
    }

    /// Returns the names that lead from a scope of the key to this scope; `None` if the key does not have it.
    pub(crate) fn path(&self, scope: &str) -> Option<Vec<String>> {
        if self.scopes.contains(scope) {
            return Some(vec![scope.to_owned()]);
        }
        let rules = self.rules?;
        rules.path(self.scopes, self.roles(rules), scope)
    }

    fn roles(&self, rules: &CompiledScopes) -> Option<&RoleTable> {
        let roles = rules.roles()?;
        Some(self.roles.get_or_init(|| roles.load()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::roles::Roles;
    use super::super::scope_rules::ScopeRules;
    use super::*;

    const PLAIN: ScopeRules<'_> = ScopeRules::new();
    const WILD: ScopeRules<'_> = PLAIN.wildcards();
    const COLON: ScopeRules<'_> = WILD.separator(':');
    const PREFIX: ScopeRules<'_> = PLAIN.prefixes();
    const ORG: ScopeRules<'_> = PLAIN.hierarchy(&[
        ("repo", &["repo.public"]),
        ("org.admin", &["org.write"]),
        ("org.write", &["org.read"]),
    ]);
    const BOTH: ScopeRules<'_> = WILD.hierarchy(&[
        ("owner", &["users.*", "org.admin"]),
        ("org.admin", &["billing.read"]),
        ("root", &["*"]),
    ]);

    /// Returns the path to a scope, its names joined.
    fn path(rules: ScopeRules<'_>, roles: Option<&Roles>, held: &str, needed: &str) -> String {
        let rules =
            CompiledScopes::with_roles(Some(CompiledScopes::new(&rules).unwrap()), roles.cloned());
        let set = held.parse().unwrap();
        let held = HeldScopes::new(&set, rules.as_ref());
        let path = held.path(needed);
        assert_eq!(held.contains(needed), path.is_some(), "{set} {needed}");
        path.unwrap_or_default().join(" > ")
    }

    #[test]
    fn what_a_scope_grants() {
        for (rules, held, needed, expected) in [
            (PLAIN, "a", "a", "a"),
            (PLAIN, "*", "a", ""),
            (PLAIN, "users.*", "users.read", ""),
            (PLAIN, "users", "users.read", ""),
            (WILD, "x *", "a", "* > a"),
            (WILD, "users.*", "users.read", "users.* > users.read"),
            (WILD, "users.*", "users.photos.read", "users.* > users.photos.read"),
            (WILD, "users.*", "users", ""),
            (WILD, "users.*", "users.", ""),
            (WILD, "users.*", "usersx.read", ""),
            (WILD, "users.*", "Users.read", ""),
            (WILD, "users*", "users.read", ""),
            (WILD, "*.read", "users.read", ""),
            (WILD, "users.*.read", "users.photos.read", ""),
            (WILD, "**", "users.read", ""),
            (WILD, "users:*", "users:read", ""),
            (WILD, "users.read", "users.*", ""),
            (WILD, "users", "users.read", ""),
            (COLON, "users:*", "users:read", "users:* > users:read"),
            (COLON, "users.*", "users.read", ""),
            (PREFIX, "users", "users.read", "users > users.read"),
            (PREFIX, "users", "users.", ""),
            (PREFIX, "users", "users_all", ""),
            (PREFIX, "users.read", "users", ""),
            (PREFIX, "users.*", "users.read", ""),
            (ORG, "org.admin", "org.read", "org.admin > org.read"),
            (ORG, "org.read", "org.admin", ""),
            (ORG, "repo", "repo.public", "repo > repo.public"),
            (ORG, "repo", "repo.private", ""),
            (BOTH, "owner", "users.read", "owner > users.* > users.read"),
            (BOTH, "owner", "billing.read", "owner > billing.read"),
            (BOTH, "org.*", "billing.read", "org.* > org.admin > billing.read"),
            (BOTH, "root", "billing.read", "root > * > billing.read"),
            (BOTH, "root", "other", "root > * > other"),
            (BOTH, "users.*", "owner", ""),
        ] {
            assert_eq!(path(rules, None, held, needed), expected, "{rules:?} {held} {needed}");
        }
    }

    #[test]
    fn what_a_role_grants() {
        let roles = Roles::new();
        roles.set("support", ["users.*", "owner", "nested", "tickets.read"]).unwrap();
        roles.set("nested", ["secret"]).unwrap();
        roles.set("team.lead", ["secret"]).unwrap();
        roles.set("empty", [""; 0]).unwrap();
        for (rules, held, needed, expected) in [
            (PLAIN, "support", "tickets.read", "support > tickets.read"),
            (PLAIN, "support", "users.read", ""),
            (PLAIN, "support", "support", "support"),
            (PLAIN, "support", "nested", "support > nested"),
            (PLAIN, "support", "secret", ""),
            (PLAIN, "empty", "secret", ""),
            (PLAIN, "none", "secret", ""),
            (WILD, "support", "users.read", "support > users.* > users.read"),
            (WILD, "team.*", "secret", ""),
            (WILD, "team.lead", "secret", "team.lead > secret"),
            (WILD, "users.* support", "users.read", "users.* > users.read"),
            (BOTH, "support", "billing.read", "support > owner > billing.read"),
        ] {
            assert_eq!(path(rules, Some(&roles), held, needed), expected, "{held} {needed}");
        }
    }

    #[test]
    fn rules_that_contradict_themselves_are_refused() {
        for rules in [
            PLAIN.separator('a'),
            PLAIN.separator('*'),
            PLAIN.separator(' '),
            PLAIN.separator('"'),
            PLAIN.separator('é'),
            PLAIN.hierarchy(&[("a", &[])]),
            PLAIN.hierarchy(&[("a", &["b c"])]),
            PLAIN.hierarchy(&[("", &["b"])]),
            PLAIN.hierarchy(&[("a", &["b.*"])]),
            PLAIN.hierarchy(&[("a", &["a"])]),
            PLAIN.hierarchy(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"])]),
            PLAIN.separator(':'),
            PLAIN.separator('/').hierarchy(&[("a", &["b"])]),
            PREFIX.hierarchy(&[("a.b", &["a"])]),
            PREFIX.hierarchy(&[("a.b.c", &["a"])]),
            PREFIX.hierarchy(&[("a.b", &["c"]), ("c", &["a"])]),
            PREFIX.hierarchy(&[("a.b", &["c"]), ("c.d", &["a"])]),
            PREFIX.wildcards().hierarchy(&[("a.b", &["a"])]),
            PREFIX.separator(':').hierarchy(&[("a:b", &["a"])]),
        ] {
            assert!(CompiledScopes::new(&rules).is_err(), "{rules:?}");
        }
        for rules in [
            PLAIN.hierarchy(&[("a", &["b"]), ("a", &["c"]), ("b", &["c"])]),
            WILD.hierarchy(&[("root", &["*"]), ("super", &["root"])]),
            WILD.hierarchy(&[("a", &["b.*"]), ("b.c", &["a"])]),
            COLON.hierarchy(&[("a", &["b:*"])]),
            PLAIN.separator('.'),
            PREFIX.separator(':'),
            PLAIN.hierarchy(&[("a.b", &["a"])]),
            PREFIX.hierarchy(&[("a", &["a.b"]), ("a.b", &["a.c"])]),
            PREFIX.hierarchy(&[("a.b", &["ab", "a."])]),
            PREFIX.separator(':').hierarchy(&[("a.b", &["a"])]),
        ] {
            assert!(CompiledScopes::new(&rules).is_ok(), "{rules:?}");
        }
    }
}
