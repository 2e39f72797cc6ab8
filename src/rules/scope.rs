//! The rule that a key has the scopes that a request needs.

use super::held_scopes::HeldScopes;
use crate::error::{Denial, NeededScopes, ScopeNeed};

/// Refuses a key that lacks one of `all_of`, or has none of `any_of`, or all of none of `sets`. If `any_of` or
/// `sets` is empty, no key passes; `None` requires nothing.
pub(crate) fn has_scopes<S: AsRef<str>>(
    held: &HeldScopes<'_>,
    all_of: &[S],
    any_of: Option<&[S]>,
    sets: Option<&[Box<[S]>]>,
) -> Result<(), Denial> {
    let has_all = |scopes: &[S]| scopes.iter().all(|scope| held.contains(scope.as_ref()));
    let any = any_of.is_none_or(|any_of| any_of.iter().any(|scope| held.contains(scope.as_ref())));
    if has_all(all_of) && any && sets.is_none_or(|sets| sets.iter().any(|set| has_all(set))) {
        Ok(())
    } else {
        let scopes = by_need(all_of, any_of, sets);
        let scopes = scopes.map(|(need, scope)| (need, scope, held.contains(scope)));
        Err(Denial::ScopeMissing { needed: NeededScopes::new(scopes) })
    }
}

/// Lists the scopes of each list of a route, alternatives included.
pub(super) fn by_need<'a, S: AsRef<str>>(
    all_of: &'a [S],
    any_of: Option<&'a [S]>,
    sets: Option<&'a [Box<[S]>]>,
) -> impl Iterator<Item = (ScopeNeed, &'a str)> {
    let all_of = all_of.iter().map(|scope| (ScopeNeed::AllOf, scope));
    let any_of = any_of.unwrap_or_default().iter().map(|scope| (ScopeNeed::AnyOf, scope));
    let sets = sets.unwrap_or_default().iter().enumerate();
    let sets = sets.flat_map(|(index, set)| set.iter().map(move |it| (ScopeNeed::Set(index), it)));
    all_of.chain(any_of).chain(sets).map(|(need, scope)| (need, scope.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ScopeSet;

    #[test]
    fn all_of_and_any_of() {
        let held = ScopeSet::new(["a", "b"]).unwrap();
        for (all_of, any_of, passes) in [
            (&[][..], None, true),
            (&["a"], None, true),
            (&["a", "b"], None, true),
            (&["a", "c"], None, false),
            (&[], Some(&["c", "b"][..]), true),
            (&[], Some(&["c", "d"]), false),
            (&[], Some(&[]), false),
            (&["a"], Some(&[]), false),
            (&["a"], Some(&["c"]), false),
            (&["A"], None, false),
        ] {
            let decided = has_scopes(&HeldScopes::new(&held, None), all_of, any_of, None);
            assert_eq!(decided.is_ok(), passes, "{all_of:?} {any_of:?}");
        }
    }

    #[test]
    fn one_set_in_full() {
        let held = ScopeSet::new(["a", "b"]).unwrap();
        for (all_of, sets, passes) in [
            (&[][..], &[&["a", "b"][..], &["full"]][..], true),
            (&[], &[&["full"], &["b"]], true),
            (&[], &[&["a", "c"], &["full"]], false),
            (&["c"], &[&["a"]], false),
            (&["a"], &[&["b"]], true),
            (&[], &[], false),
        ] {
            let sets: Vec<Box<[&str]>> = sets.iter().map(|set| Box::from(*set)).collect();
            let decided = has_scopes(&HeldScopes::new(&held, None), all_of, None, Some(&sets));
            assert_eq!(decided.is_ok(), passes, "{all_of:?} {sets:?}");
        }
    }

    #[test]
    fn a_denial_names_each_needed_scope_once() {
        let sets = [Box::from(["a", "e"]), Box::from(["d"])];
        let decided = has_scopes(
            &HeldScopes::new(&ScopeSet::default(), None),
            &["a"],
            Some(&["c", "d"]),
            Some(&sets),
        );
        assert_eq!(decided, Err(Denial::ScopeMissing { needed: "a c d e".into() }));
    }
}
