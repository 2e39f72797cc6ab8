//! Checked rules of scopes, and the search for a held scope that grants a needed one.

use std::collections::HashMap;

use super::role_table::RoleTable;
use super::roles::Roles;
use super::scope_rules::ScopeRules;
use super::scope_syntax::ScopeSyntax;
use crate::error::ConfigError;
use crate::key::ScopeSet;

/// Checked scope rules with the roles of a gate. It owns what [`ScopeRules`] borrows.
#[derive(Debug)]
pub(crate) struct CompiledScopes {
    syntax: ScopeSyntax,
    /// Each upper scope of the hierarchy with all scopes that it grants, those of its lower scopes included.
    rows: Vec<(Box<str>, ScopeSet)>,
    /// All names that grant a scope through a row, by that scope: the upper scopes of its rows, and the names that
    /// cover those.
    grantors: HashMap<Box<str>, ScopeSet>,
    roles: Option<Roles>,
}

/// The names by which a key has a scope.
#[derive(Debug, Clone, Copy)]
struct Finding<'a> {
    /// The role that lists `name`, if the key itself does not.
    role: Option<&'a str>,
    /// The scope that grants the needed one.
    name: &'a str,
    /// The scope of the hierarchy that covers the needed one, if `name` itself does not.
    lower: Option<&'a str>,
}

impl CompiledScopes {
    /// Checks rules, and follows the hierarchy to its end.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ScopeRules`] for a separator or a name that is not valid, a separator that no rule reads, a
    /// row that grants nothing, a wildcard without [`ScopeRules::wildcards`], or a scope that grants itself
    /// through others.
    pub(crate) fn new(rules: &ScopeRules<'_>) -> Result<Self, ConfigError> {
        let &ScopeRules { separator, wildcards, prefixes, hierarchy } = rules;
        let syntax = ScopeSyntax { separator, wildcards, prefixes };
        check_separator(syntax)?;
        for (upper, lower) in hierarchy {
            check_row(syntax, upper, lower)?;
        }
        let mut compiled = Self { syntax, ..Self::plain() };
        let mut grantors: HashMap<&str, Vec<String>> = HashMap::new();
        for (upper, lower) in hierarchy {
            // By names and prefixes: below a wildcard, a scope may well find itself.
            let leads = |name: &str, upper: &str| name == upper || syntax.is_prefix(name, upper);
            if let Some(name) =
                reach(lower, hierarchy, leads).iter().find(|name| leads(name, upper))
            {
                let problem = if name == upper {
                    "grants itself through others: remove one of the rows between".to_owned()
                } else {
                    format!(
                        "grants its prefix `{name}`, which grants it: remove one of the rows between"
                    )
                };
                return Err(refused("hierarchy", upper, &problem));
            }
            let reached = reach(lower, hierarchy, |name, upper| syntax.covers(name, upper));
            for &lower in &reached {
                let names = grantors.entry(lower).or_default();
                let _: Option<()> = syntax.find_covering(upper, |name| {
                    names.push(name.to_owned());
                    None
                });
            }
            compiled.rows.push((Box::from(*upper), ScopeSet::new(reached)?));
        }
        for (lower, names) in grantors {
            compiled.grantors.insert(Box::from(lower), ScopeSet::new(names)?);
        }
        Ok(compiled)
    }

    /// Adds roles to rules. Returns `None` if a gate has neither.
    pub(crate) fn with_roles(rules: Option<Self>, roles: Option<Roles>) -> Option<Self> {
        let rules = if roles.is_some() { Some(rules.unwrap_or_else(Self::plain)) } else { rules };
        rules.map(|rules| Self { roles, ..rules })
    }

    fn plain() -> Self {
        let syntax = ScopeSyntax::PLAIN;
        Self { syntax, rows: Vec::new(), grantors: HashMap::new(), roles: None }
    }

    /// Returns true if a gate with these rules reads the name as a wildcard.
    pub(crate) fn reads_as_wildcard(&self, name: &str) -> bool {
        self.syntax.wildcards && self.syntax.is_wildcard(name)
    }

    /// Returns the roles of the gate, which a program can change at any time.
    pub(super) const fn roles(&self) -> Option<&Roles> {
        self.roles.as_ref()
    }

    /// Returns true if a held scope, or a scope of a held role, grants a needed one.
    pub(super) fn grants(&self, held: &ScopeSet, roles: Option<&RoleTable>, needed: &str) -> bool {
        self.find(held, roles, needed, |_| ()).is_some()
    }

    /// Returns the names that lead from a held scope to a needed one: a role, its scope, a scope of the hierarchy,
    /// what that scope grants, the needed scope.
    pub(super) fn path(
        &self,
        held: &ScopeSet,
        roles: Option<&RoleTable>,
        needed: &str,
    ) -> Option<Vec<String>> {
        self.find(held, roles, needed, |Finding { role, name, lower }| {
            let leads = |(upper, granted): &&(Box<str>, ScopeSet)| {
                self.syntax.covers(name, upper)
                    && lower.is_some_and(|lower| granted.contains(lower))
            };
            let upper = lower.and_then(|_| self.rows.iter().find(leads)).map(|(upper, _)| &**upper);
            let names = [role, Some(name), upper, lower, Some(needed)];
            let mut path: Vec<String> = names.into_iter().flatten().map(str::to_owned).collect();
            path.dedup();
            path
        })
    }

    /// Finds a held scope that grants a needed one. A key's own scopes come before the scopes of its roles.
    ///
    /// The search asks for each name that can grant the needed scope. So its cost depends on the rules and the
    /// roles, and hardly on how many scopes the key has.
    fn find<T>(
        &self,
        held: &ScopeSet,
        roles: Option<&RoleTable>,
        needed: &str,
        found: impl Fn(Finding<'_>) -> T,
    ) -> Option<T> {
        let own = self.search(
            needed,
            |name| held.contains(name).then_some(None),
            |names| Some((None, names.first_shared(held)?)),
            &found,
        );
        let of_role = |roles: &RoleTable| {
            self.search(
                needed,
                |name| Some(Some(roles.find_listing(name, held)?)),
                |names| {
                    let (role, name) = roles.find_listing_any(names, held)?;
                    Some((Some(role), name))
                },
                &found,
            )
        };
        own.or_else(|| roles.and_then(of_role))
    }

    /// Asks for each name that grants a needed scope: `has` for one name, `has_any` for the names that grant it
    /// through a row. Both return the role that has the name.
    fn search<'a, T>(
        &'a self,
        needed: &str,
        has: impl Fn(&str) -> Option<Option<&'a str>>,
        has_any: impl Fn(&'a ScopeSet) -> Option<(Option<&'a str>, &'a str)>,
        found: &impl Fn(Finding<'_>) -> T,
    ) -> Option<T> {
        let covering = |name: &str| Some(found(Finding { role: has(name)?, name, lower: None }));
        let through_row = |lower: &str| {
            let (role, name) = has_any(self.grantors.get(lower)?)?;
            Some(found(Finding { role, name, lower: Some(lower) }))
        };
        let covered = self.syntax.find_covering(needed, covering);
        covered.or_else(|| self.syntax.find_covering(needed, through_row))
    }
}

/// Refuses a separator that is not valid, and one that no rule reads.
fn check_separator(syntax: ScopeSyntax) -> Result<(), ConfigError> {
    let problem = if !syntax.has_valid_separator() {
        "is no separator: set a visible ASCII character that is no letter, digit, `*`, `\"` or `\\`"
    } else if syntax.separator != ScopeSyntax::PLAIN.separator
        && !(syntax.wildcards || syntax.prefixes)
    {
        "has no effect here: call `wildcards` or `prefixes`, or leave `separator` out"
    } else {
        return Ok(());
    };
    Err(refused("separator", &syntax.separator.to_string(), problem))
}

/// Refuses a row with names that are not valid, or that the gate does not read as they look.
fn check_row(syntax: ScopeSyntax, upper: &str, lower: &[&str]) -> Result<(), ConfigError> {
    if lower.is_empty() {
        let problem = "grants nothing: list a scope beside it, or remove the row";
        return Err(refused("hierarchy", upper, problem));
    }
    for name in lower.iter().chain([&upper]) {
        if let Err(problem) = ScopeSet::new([name]) {
            return Err(refused("hierarchy", name, &problem.to_string()));
        }
        if !syntax.wildcards && syntax.is_wildcard(name) {
            let problem = "is a plain name here: call `wildcards`, or list scopes by name";
            return Err(refused("hierarchy", name, problem));
        }
    }
    Ok(())
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
