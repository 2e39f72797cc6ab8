//! Checked rules of scopes, and the search for a held scope that grants a needed one.

use super::roles::Roles;
use super::scope_rules::ScopeRules;
use crate::error::ConfigError;
use crate::key::ScopeSet;

/// Checked scope rules with the roles of a gate. It owns what [`ScopeRules`] borrows.
#[derive(Debug)]
pub(crate) struct CompiledScopes {
    separator: char,
    wildcards: bool,
    prefixes: bool,
    /// Each upper scope of the hierarchy with all scopes that it grants, those of its lower scopes included.
    granted_by: Vec<(Box<str>, Vec<Box<str>>)>,
    roles: Option<Roles>,
}

/// The names that lead from a held scope to a needed one: what is held, a scope of the hierarchy, what that
/// scope grants, what is needed. Names repeat where a step is left out.
type Steps<'a> = [&'a str; 4];

impl CompiledScopes {
    /// Checks rules, and follows the hierarchy to its end.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ScopeRules`] for a separator or a name that is not valid, a row that grants nothing, a
    /// wildcard without [`ScopeRules::wildcards`], or a scope that grants itself through others.
    pub(crate) fn new(rules: &ScopeRules<'_>) -> Result<Self, ConfigError> {
        let separator = rules.separator;
        let mut buffer = [0; 4];
        let text: &str = separator.encode_utf8(&mut buffer);
        if separator.is_alphanumeric() || separator == '*' || ScopeSet::new([text]).is_err() {
            let problem = "is no separator: set a visible ASCII character that is no letter, digit, \
                `*`, `\"` or `\\`";
            return Err(refused("separator", text, problem));
        }
        let mut compiled = Self {
            separator,
            wildcards: rules.wildcards,
            prefixes: rules.prefixes,
            granted_by: Vec::new(),
            roles: None,
        };
        for (upper, lower) in rules.hierarchy {
            if lower.is_empty() {
                let problem = "grants nothing: list a scope beside it, or remove the row";
                return Err(refused("hierarchy", upper, problem));
            }
            for name in lower.iter().chain([upper]) {
                if let Err(problem) = ScopeSet::new([name]) {
                    return Err(refused("hierarchy", name, &problem.to_string()));
                }
                if !rules.wildcards && compiled.is_wildcard(name) {
                    let problem = "is a plain name here: call `wildcards`, or list scopes by name";
                    return Err(refused("hierarchy", name, problem));
                }
            }
        }
        for (upper, lower) in rules.hierarchy {
            // By exact names: below a wildcard, a scope may well find itself.
            let named = reach(lower, rules.hierarchy, |name, upper| name == upper);
            if named.contains(upper) {
                let problem = "grants itself through others: remove one of the rows between";
                return Err(refused("hierarchy", upper, problem));
            }
            let reached = reach(lower, rules.hierarchy, |name, upper| compiled.covers(name, upper));
            let reached = reached.into_iter().map(Box::from).collect();
            compiled.granted_by.push((Box::from(*upper), reached));
        }
        Ok(compiled)
    }

    /// Adds roles to rules. Returns `None` if a gate has neither.
    pub(crate) fn with_roles(rules: Option<Self>, roles: Option<Roles>) -> Option<Self> {
        let plain = || Self {
            separator: '.',
            wildcards: false,
            prefixes: false,
            granted_by: Vec::new(),
            roles: None,
        };
        let rules = if roles.is_some() { Some(rules.unwrap_or_else(plain)) } else { rules };
        rules.map(|rules| Self { roles, ..rules })
    }

    /// Returns true if a gate with these rules reads the name as a wildcard.
    pub(crate) fn reads_as_wildcard(&self, name: &str) -> bool {
        self.wildcards && self.is_wildcard(name)
    }

    /// Returns true if a held scope grants a needed one.
    // Kept out of the code of gates without rules.
    #[inline(never)]
    pub(super) fn grants(&self, held: &ScopeSet, needed: &str) -> bool {
        self.find(held, needed, |_| ()).is_some()
    }

    /// Finds a held scope that grants a needed one, and calls `found` with the names that lead from one to the
    /// other. A key's own scopes come before the scopes of its roles.
    pub(super) fn find<T>(
        &self,
        held: &ScopeSet,
        needed: &str,
        found: impl FnOnce(&[&str]) -> T,
    ) -> Option<T> {
        if let Some(steps) = held.iter().find_map(|name| self.steps(name, needed)) {
            return Some(found(&steps));
        }
        let roles = self.roles.as_ref()?.load();
        let of_role = |name| {
            let mut scopes = roles.get(name)?.iter();
            scopes.find_map(|scope| self.steps(scope, needed)).map(|steps| (name, steps))
        };
        let (role, [scope, upper, lower, needed]) = held.iter().find_map(of_role)?;
        Some(found(&[role, scope, upper, lower, needed]))
    }

    /// Returns the names that lead from one scope to another; `None` if the first does not grant the second.
    fn steps<'a>(&'a self, name: &'a str, needed: &'a str) -> Option<Steps<'a>> {
        if self.covers(name, needed) {
            return Some([name, needed, needed, needed]);
        }
        self.granted_by.iter().filter(|(upper, _)| self.covers(name, upper)).find_map(
            |(upper, granted)| {
                let lower = granted.iter().find(|lower| self.covers(lower, needed))?;
                Some([name, &**upper, &**lower, needed])
            },
        )
    }

    /// Returns true if one scope is another, or grants it as a wildcard or a prefix.
    fn covers(&self, name: &str, needed: &str) -> bool {
        name == needed
            || (self.wildcards && self.is_wildcard(name) && {
                let stem = name.strip_suffix('*').unwrap_or(name);
                needed.len() > stem.len() && needed.starts_with(stem)
            })
            || (self.prefixes && {
                let rest =
                    needed.strip_prefix(name).and_then(|rest| rest.strip_prefix(self.separator));
                rest.is_some_and(|rest| !rest.is_empty())
            })
    }

    /// Returns true for `*`, and for a name whose whole last part is `*`.
    fn is_wildcard(&self, name: &str) -> bool {
        let stem = name.strip_suffix('*');
        stem.is_some_and(|stem| stem.is_empty() || stem.ends_with(self.separator))
    }
}

/// Returns all that a row of the hierarchy grants, with what other rows add to it.
fn reach<'a>(
    row: &[&'a str],
    hierarchy: &[(&str, &[&'a str])],
    covers: impl Fn(&str, &str) -> bool,
) -> Vec<&'a str> {
    let mut reached: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = row.to_vec();
    while let Some(name) = open.pop() {
        if reached.contains(&name) {
            continue;
        }
        reached.push(name);
        for (upper, lower) in hierarchy {
            if covers(name, upper) {
                open.extend_from_slice(lower);
            }
        }
    }
    reached
}

fn refused(field: &'static str, value: &str, problem: &str) -> ConfigError {
    ConfigError::ScopeRules { field, value: value.to_owned(), problem: problem.to_owned() }
}
