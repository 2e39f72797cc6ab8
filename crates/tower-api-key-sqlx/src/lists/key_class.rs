//! Classes of keys: all keys with the same environment, kind and status. An index has the keys of a class in each order.
//! So a list with any of these filters is a union of classes, each of which is read from its first key on.

use super::list_terms::ListTerms;
use super::term::Term;
use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::store::{KeyFilter, KeyState, StoreError};

/// The most classes of a list. A store with more environments and kinds is listed without classes.
const MOST: usize = 64;

/// The environments and kinds of a store, up to a number that is too large for a list. Each is one step in an index.
const NAMES: &str = "WITH RECURSIVE environments (name) AS \
     (SELECT MIN(environment) FROM {keys} WHERE environment IS NOT NULL UNION ALL \
     SELECT (SELECT MIN(k.environment) FROM {keys} k WHERE k.environment > e.name) \
     FROM environments e WHERE e.name IS NOT NULL), \
     kinds (name) AS (SELECT MIN(kind) FROM {keys} WHERE kind IS NOT NULL UNION ALL \
     SELECT (SELECT MIN(k.kind) FROM {keys} k WHERE k.kind > i.name) \
     FROM kinds i WHERE i.name IS NOT NULL) \
     SELECT * FROM (SELECT CAST(0 AS BIGINT) AS is_kind, name FROM environments WHERE name IS NOT NULL LIMIT 64) e \
     UNION ALL \
     SELECT * FROM (SELECT CAST(1 AS BIGINT) AS is_kind, name FROM kinds WHERE name IS NOT NULL LIMIT 64) i";

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
    /// Returns the classes of a list; `None` if the filter needs none, or if there are too many.
    pub(super) async fn all(
        store: &SqlStore,
        filter: &KeyFilter,
        terms: &mut ListTerms,
    ) -> Result<Option<Vec<Self>>, StoreError> {
        let (environment, kind) = (&terms.environment, &terms.kind);
        if environment.is_none() && kind.is_none() && filter.state.is_none() {
            return Ok(None);
        }
        let mut names = [Vec::new(), Vec::new()];
        if environment.is_none() || kind.is_none() {
            for row in store.read(Statement::made(store.tables.fill(NAMES))).await? {
                let [environments, kinds] = &mut names;
                let is_kind = row::number(&*row, "is_kind")? != 0;
                let names = if is_kind { kinds } else { environments };
                names.push(row::text(&*row, "name")?);
            }
        }
        let [environments, kinds] = names;
        let mut one_of = |column, wanted: &Option<Term>, names: Vec<String>| {
            if let Some(wanted) = wanted {
                return vec![wanted.clone()];
            }
            let is = |name| Term::new(format!("~{column} = {}", terms.values.add(name)));
            let none = Term::new(format!("~{column} IS NULL"));
            std::iter::once(none).chain(names.into_iter().map(is)).collect()
        };
        let environments = one_of("k.environment", environment, environments);
        let kinds = one_of("k.kind", kind, kinds);
        let statuses = KeyStatus::of(filter.state);
        if environments.len() * kinds.len() * statuses.len() > MOST {
            return Ok(None);
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
        Ok(Some(classes))
    }
}
