//! The scopes that a request needs and its key lacks.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::scope_need::ScopeNeed;

/// The scopes that a refused request needs, and which of them the key lacks.
///
/// Two of them are equal if they list the same needed scopes, whatever the key holds.
///
/// ```
/// use tower_api_key::{Denial, Grant, ScopeChoice};
///
/// /// Says what the key of a request lacks to write users.
/// fn hint(grant: &Grant) -> Option<String> {
///     let Err(Denial::ScopeMissing { needed }) = grant.require_any(&["users.write", "admin"]) else {
///         return None;
///     };
///     let missing: Vec<&str> = needed.missing().collect();
///     let or_and = if needed.choice() == ScopeChoice::AnyOf { " or " } else { " and " };
///     Some(missing.join(or_and))
/// }
/// ```
#[derive(Clone)]
pub struct NeededScopes(Arc<ScopeList>);

/// What a key needs of the scopes that it lacks.
///
/// ```
/// use tower_api_key::{NeededScopes, ScopeChoice};
///
/// assert_eq!(NeededScopes::from("users.read users.write").choice(), ScopeChoice::AllOf);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeChoice {
    /// All of them.
    AllOf,
    /// One of them.
    AnyOf,
    /// All of one of the [sets](NeededScopes::sets).
    AnyOfSets,
    /// More than one of the above, because the route asks for more than one.
    Several,
}

struct ScopeList {
    /// Each scope once, separated by spaces.
    text: String,
    entries: SmallVec<[ScopeEntry; 4]>,
}

/// A scope in one list of a route.
#[derive(Clone, Copy)]
struct ScopeEntry {
    /// The range in the text.
    start: usize,
    end: usize,
    need: ScopeNeed,
    is_held: bool,
}

impl NeededScopes {
    /// Collects the scopes of a route, each with its list, and whether the key has it.
    pub(crate) fn new<'a>(scopes: impl Iterator<Item = (ScopeNeed, &'a str, bool)>) -> Self {
        let (mut text, mut entries) = (String::new(), SmallVec::<[ScopeEntry; 4]>::new());
        for (need, scope, is_held) in scopes {
            let same = |entry: &&ScopeEntry| text.get(entry.start..entry.end) == Some(scope);
            let (start, end) = if let Some(entry) = entries.iter().find(same) {
                (entry.start, entry.end)
            } else {
                if !entries.is_empty() {
                    text.push(' ');
                }
                let start = text.len();
                text.push_str(scope);
                (start, text.len())
            };
            entries.push(ScopeEntry { start, end, need, is_held });
        }
        Self(Arc::new(ScopeList { text, entries }))
    }

    /// Returns all needed scopes, each once, separated by spaces (RFC 6750 §3, attribute `scope`).
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Lists the scopes of which the request needs all.
    pub fn all_of(&self) -> impl Iterator<Item = &str> {
        self.of(ScopeNeed::AllOf)
    }

    /// Lists the scopes of which the request needs one.
    pub fn any_of(&self) -> impl Iterator<Item = &str> {
        self.of(ScopeNeed::AnyOf)
    }

    /// Lists the sets of which the request needs one in full.
    pub fn sets(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.set_count()).map(|set| self.of(ScopeNeed::Set(set)).collect())
    }

    /// Lists the scopes that the key lacks, each once: of those that are all needed, and of alternatives of which the
    /// key has none. [`choice`](Self::choice) returns whether it needs all of them.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let lacking = self.lacking();
        let mut listed: SmallVec<[usize; 4]> = SmallVec::new();
        lacking.filter_map(move |entry| {
            let is_new = !listed.contains(&entry.start);
            is_new.then(|| {
                listed.push(entry.start);
                self.text_of(entry)
            })
        })
    }

    /// Returns what the key needs of the [missing](Self::missing) scopes.
    pub fn choice(&self) -> ScopeChoice {
        let mut choices = self.lacking().map(|entry| match entry.need {
            ScopeNeed::AllOf => ScopeChoice::AllOf,
            ScopeNeed::AnyOf => ScopeChoice::AnyOf,
            ScopeNeed::Set(_) => ScopeChoice::AnyOfSets,
        });
        let first = choices.next().unwrap_or(ScopeChoice::AllOf);
        if choices.all(|choice| choice == first) { first } else { ScopeChoice::Several }
    }

    /// Lists the scopes that the key lacks, in lists of the route of which it lacks all that would do.
    fn lacking(&self) -> impl Iterator<Item = &ScopeEntry> {
        // A route can have many sets, so each entry is read once.
        let mut has_any = false;
        let mut full: SmallVec<[bool; 8]> = SmallVec::from_elem(true, self.set_count());
        for entry in &self.0.entries {
            match entry.need {
                ScopeNeed::AllOf => {}
                ScopeNeed::AnyOf => has_any |= entry.is_held,
                ScopeNeed::Set(index) => {
                    if let Some(full) = full.get_mut(index) {
                        *full &= entry.is_held;
                    }
                }
            }
        }
        let has_set = full.contains(&true);
        self.0.entries.iter().filter(move |entry| {
            let is_met = match entry.need {
                ScopeNeed::AllOf => false,
                ScopeNeed::AnyOf => has_any,
                ScopeNeed::Set(_) => has_set,
            };
            !entry.is_held && !is_met
        })
    }

    fn set_count(&self) -> usize {
        let sets = self.0.entries.iter().map(|entry| match entry.need {
            ScopeNeed::Set(index) => index + 1,
            ScopeNeed::AllOf | ScopeNeed::AnyOf => 0,
        });
        sets.max().unwrap_or(0)
    }

    fn of(&self, need: ScopeNeed) -> impl Iterator<Item = &str> {
        let entries = self.0.entries.iter().filter(move |entry| entry.need == need);
        entries.map(|entry| self.text_of(entry))
    }

    fn text_of(&self, entry: &ScopeEntry) -> &str {
        self.0.text.get(entry.start..entry.end).unwrap_or_default()
    }
}

impl From<&str> for NeededScopes {
    /// Lists scopes, separated by one space, of which the key lacks all and needs all.
    fn from(scopes: &str) -> Self {
        Self::new(scopes.split(' ').map(|scope| (ScopeNeed::AllOf, scope, false)))
    }
}

impl PartialEq for NeededScopes {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for NeededScopes {}

impl fmt::Debug for NeededScopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for NeededScopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_depends_on_what_is_held() {
        use ScopeNeed::{AllOf, AnyOf, Set};
        let (held, lacks) = (true, false);
        for (scopes, needed, missing, choice) in [
            (&[][..], "", "", ScopeChoice::AllOf),
            (&[(AllOf, "a", held), (AllOf, "b", lacks)], "a b", "b", ScopeChoice::AllOf),
            (&[(AnyOf, "a", lacks), (AnyOf, "b", lacks)], "a b", "a b", ScopeChoice::AnyOf),
            (
                &[(AllOf, "c", lacks), (AnyOf, "a", held), (AnyOf, "b", lacks)],
                "c a b",
                "c",
                ScopeChoice::AllOf,
            ),
            (
                &[(AllOf, "a", lacks), (AnyOf, "a", lacks), (AnyOf, "b", lacks)],
                "a b",
                "a b",
                ScopeChoice::Several,
            ),
            (
                &[(Set(0), "a", held), (Set(0), "b", lacks), (Set(1), "c", lacks)],
                "a b c",
                "b c",
                ScopeChoice::AnyOfSets,
            ),
            (
                &[(AllOf, "x", lacks), (Set(0), "a", lacks), (Set(1), "c", held)],
                "x a c",
                "x",
                ScopeChoice::AllOf,
            ),
        ] {
            let list = NeededScopes::new(scopes.iter().copied());
            let listed: Vec<&str> = list.missing().collect();
            assert_eq!((list.as_str(), &*listed.join(" ")), (needed, missing));
            assert_eq!(list.choice(), choice, "{needed}");
        }
    }

    /// 20,000 sets would take hours if each of them read all others.
    #[test]
    fn many_sets_are_read_once() {
        let sets = (0..20_000).map(|index| (ScopeNeed::Set(index), "a", false));
        let list = NeededScopes::new(sets);
        assert!(list.missing().eq(["a"]));
        assert_eq!(list.choice(), ScopeChoice::AnyOfSets);
        assert_eq!(list.missing().next(), Some("a"));
    }

    #[test]
    fn the_lists_of_a_route_are_kept_apart() {
        use ScopeNeed::{AllOf, AnyOf, Set};
        let scopes = [(AllOf, "a"), (AnyOf, "b"), (AnyOf, "a"), (Set(0), "c"), (Set(1), "d")];
        let list = NeededScopes::new(scopes.into_iter().map(|(group, name)| (group, name, false)));
        assert!(list.all_of().eq(["a"]) && list.any_of().eq(["b", "a"]));
        assert!(list.sets().eq([vec!["c"], vec!["d"]]));
        assert_eq!(list, "a b c d".into());
        assert_eq!(format!("{list} {list:?}"), r#"a b c d "a b c d""#);
    }
}
