//! Classes of keys: all keys with the same environment, kind and status. An index has the keys of a class in each order.
//! So a list with any of these filters is a union of classes, each of which is read from its first key on.

use std::collections::BTreeSet;

use super::class_names::ClassNames;
use super::list_terms::ListTerms;
use super::term::Term;
use tower_api_key::store::KeyState;

/// The most classes of a list. A store with more environments and kinds is listed without classes.
const MOST: usize = 64;

/// What never changes by time alone. Each has an index of its own for each order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyStatus {
    /// Neither revoked nor disabled by itself. Its account may be disabled, and it may have expired.
    Live,
    /// Disabled by itself, and not revoked.
    Off,
    Revoked,
}

/// The condition of a class.
#[derive(Debug, Clone)]
pub(super) struct KeyClass {
    pub(super) status: KeyStatus,
    pub(super) terms: Vec<Term>,
}

impl KeyStatus {
    /// Returns the statuses in which a key with this state may be.
    pub(super) const fn of(state: Option<KeyState>) -> &'static [Self] {
        match state {
            None => &[Self::Live, Self::Off, Self::Revoked],
            Some(KeyState::Revoked) => &[Self::Revoked],
            Some(KeyState::Disabled) => &[Self::Off, Self::Live],
            Some(_) => &[Self::Live],
        }
    }

    /// Returns the condition, in the words of the indexes.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Live => "~k.revoked = 0 AND ~k.disabled = 0",
            Self::Off => "~k.revoked = 0 AND ~k.disabled <> 0",
            Self::Revoked => "~k.revoked <> 0",
        }
    }
}

impl KeyClass {
    /// Returns the classes of a list with these names; `None` if there are too many.
    pub(super) fn all(
        state: Option<KeyState>,
        names: &ClassNames,
        terms: &mut ListTerms,
    ) -> Option<Vec<Self>> {
        let (environment, kind) = (terms.environment.clone(), terms.kind.clone());
        let mut one_of = |column, wanted: Option<Term>, names: &BTreeSet<String>| {
            if let Some(wanted) = wanted {
                return vec![wanted];
            }
            let mut is = |name: &String| {
                Term::new(format!("~{column} = {}", terms.values.add(name.as_str())))
            };
            let none = Term::new(format!("~{column} IS NULL"));
            std::iter::once(none).chain(names.iter().map(&mut is)).collect::<Vec<_>>()
        };
        let environments = one_of("k.environment", environment, &names.environments);
        let kinds = one_of("k.kind", kind, &names.kinds);
        let statuses = KeyStatus::of(state);
        if environments.len() * kinds.len() * statuses.len() > MOST {
            return None;
        }
        let mut classes = Vec::new();
        for status in statuses {
            for environment in &environments {
                for kind in &kinds {
                    let status_term = Term::new(status.text());
                    let terms = vec![environment.clone(), kind.clone(), status_term];
                    classes.push(Self { status: *status, terms });
                }
            }
        }
        Some(classes)
    }
}
