//! Which names cover a scope: the scope itself, its wildcards and its prefixes.

use smol_str::{SmolStr, SmolStrBuilder};

use crate::key::ScopeSet;

/// The most bytes of a name that a [`ScopeSet`] holds.
const LONGEST: usize = 255;

/// How a gate reads the parts of a scope.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScopeSyntax {
    pub(super) separator: char,
    pub(super) wildcards: bool,
    pub(super) prefixes: bool,
}

impl ScopeSyntax {
    /// Reads each scope as a plain name.
    pub(super) const PLAIN: Self = Self { separator: '.', wildcards: false, prefixes: false };

    /// Returns true if the separator may stand in a scope, and differs from all that has another meaning.
    pub(super) fn has_valid_separator(self) -> bool {
        let separator = self.separator;
        let in_scope = ScopeSet::new([separator.encode_utf8(&mut [0; 4])]).is_ok();
        in_scope && !separator.is_alphanumeric() && separator != '*'
    }

    /// Returns true for `*`, and for a name whose whole last part is `*`.
    pub(super) fn is_wildcard(self, name: &str) -> bool {
        let stem = name.strip_suffix('*');
        stem.is_some_and(|stem| stem.is_empty() || stem.ends_with(self.separator))
    }

    /// Returns true if one scope is another, or grants it as a wildcard or a prefix.
    pub(super) fn covers(self, name: &str, needed: &str) -> bool {
        name == needed
            || self.is_prefix(name, needed)
            || (self.wildcards && self.is_wildcard(name) && {
                let stem = name.strip_suffix('*').unwrap_or(name);
                needed.len() > stem.len() && needed.starts_with(stem)
            })
    }

    /// Returns true if the gate reads one scope as a prefix of another.
    pub(super) fn is_prefix(self, name: &str, needed: &str) -> bool {
        self.prefixes && {
            let rest = needed.strip_prefix(name).and_then(|rest| rest.strip_prefix(self.separator));
            rest.is_some_and(|rest| !rest.is_empty())
        }
    }

    /// Calls `see` with each name that covers a scope, the widest first, until it returns a value. The names
    /// come from the scope's text, so their number depends on no key.
    pub(super) fn find_covering<T>(
        self,
        needed: &str,
        mut see: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        if self.wildcards && !needed.is_empty() {
            let found = see("*");
            if found.is_some() {
                return found;
            }
        }
        if self.wildcards || self.prefixes {
            let parts = needed.split_inclusive(self.separator);
            let mut end = 0;
            for part in parts {
                end += part.len();
                // No set holds a longer name. So a long text of many parts costs no more.
                let stem = needed.get(..end).filter(|stem| stem.len() < needed.len().min(LONGEST));
                let Some(stem) = stem else { break };
                let name = stem.strip_suffix(self.separator).unwrap_or(stem);
                let mut found = None;
                if self.prefixes && !name.is_empty() {
                    found = see(name);
                }
                if found.is_none() && self.wildcards {
                    found = see(&wildcard(stem));
                }
                if found.is_some() {
                    return found;
                }
            }
        }
        see(needed)
    }
}

/// Returns the wildcard for the scopes that begin with this text. A short one takes no allocation.
fn wildcard(stem: &str) -> SmolStr {
    let mut name = SmolStrBuilder::new();
    name.push_str(stem);
    name.push('*');
    name.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covering(syntax: ScopeSyntax, needed: &str) -> Vec<String> {
        let mut names = Vec::new();
        let none: Option<()> = syntax.find_covering(needed, |name| {
            names.push(name.to_owned());
            None
        });
        assert!(
            none.is_none() && names.iter().all(|name| syntax.covers(name, needed)),
            "{names:?}"
        );
        names
    }

    #[test]
    fn the_names_that_cover_a_scope() {
        const PLAIN: ScopeSyntax = ScopeSyntax::PLAIN;
        const WILD: ScopeSyntax = ScopeSyntax { wildcards: true, ..PLAIN };
        const PREFIX: ScopeSyntax = ScopeSyntax { prefixes: true, ..PLAIN };
        const BOTH: ScopeSyntax = ScopeSyntax { wildcards: true, prefixes: true, separator: ':' };
        for (syntax, needed, expected) in [
            (PLAIN, "a.b", &["a.b"][..]),
            (WILD, "a", &["*", "a"]),
            (WILD, "a.b.c", &["*", "a.*", "a.b.*", "a.b.c"]),
            (WILD, "a.", &["*", "a."]),
            (WILD, "a..b", &["*", "a.*", "a..*", "a..b"]),
            (WILD, ".a", &["*", ".*", ".a"]),
            (WILD, "", &[""]),
            (PREFIX, "a.b.c", &["a", "a.b", "a.b.c"]),
            (PREFIX, "a..b", &["a", "a.", "a..b"]),
            (PREFIX, ".a", &[".a"]),
            (PREFIX, "a.", &["a."]),
            (BOTH, "a:b", &["*", "a", "a:*", "a:b"]),
            (BOTH, "a.b", &["*", "a.b"]),
        ] {
            assert_eq!(covering(syntax, needed), expected, "{syntax:?} {needed}");
        }
    }

    /// Compares with the definition, for all texts of up to four of these characters.
    #[test]
    fn all_names_that_cover_a_scope_are_found() {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longest = texts.iter().filter(|text| text.len() == length);
            let longer = longest.flat_map(|text| ["a", ".", "*"].map(|end| format!("{text}{end}")));
            texts.extend(longer.collect::<Vec<_>>());
        }
        for (wildcards, prefixes) in [(false, false), (true, false), (false, true), (true, true)] {
            let syntax = ScopeSyntax { separator: '.', wildcards, prefixes };
            for needed in &texts {
                let found = covering(syntax, needed);
                for name in texts.iter().filter(|name| !name.is_empty()) {
                    let covers = syntax.covers(name, needed);
                    assert_eq!(found.contains(name), covers, "{syntax:?} {name} {needed}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_has_no_more_names_than_a_scope_can_have() {
        let syntax = ScopeSyntax { wildcards: true, prefixes: true, separator: '.' };
        let names = covering(syntax, &"a.".repeat(100_000));
        assert!(names.len() <= 2 * LONGEST, "{}", names.len());
    }
}
