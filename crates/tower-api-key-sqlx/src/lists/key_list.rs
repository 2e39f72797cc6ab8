//! A list of keys: how its page is found.

use super::branch::{ListWriter, Reading};
use super::class_names::ClassNames;
use super::key_class::{KeyClass, KeyStatus};
use super::key_set::{FilterPart, KeySet};
use super::list_terms::ListTerms;
use crate::SqlStore;
use crate::driver::Row;
use crate::row;
use crate::statement::Statement;
use crate::storable::{can_be_stored, row_limit};
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState, ManageError, StoreError};

/// A list of keys at an instant.
pub(crate) struct KeyList<'a> {
    pub(crate) filter: &'a KeyFilter,
    pub(crate) now: Timestamp,
    pub(crate) most_sorted: MostSorted,
}

/// The most keys that a page reads and sorts. Larger sets are read in the order of the list until the page is full.
///
/// If one in 140 keys matches, a page of 50 in the order of the list reads 7,000 keys, too. Of several parts that match
/// independently, a page might read many more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MostSorted {
    /// For a filter with one part that is not in the order of the list.
    pub(crate) one: usize,
    /// For a filter with several such parts.
    pub(crate) several: usize,
}

impl Default for MostSorted {
    fn default() -> Self {
        Self { one: 7_000, several: 30_000 }
    }
}

/// The statement of a page.
pub(super) struct AskedPage {
    pub(super) statement: Statement,
    /// Whether it finds keys by the names of their classes.
    names_classes: bool,
}

/// A part of the filter, and the keys that match it.
type Candidate = (FilterPart, Vec<KeySet>);

impl<'a> KeyList<'a> {
    pub(crate) fn new(filter: &'a KeyFilter, now: Timestamp) -> Self {
        Self { filter, now, most_sorted: MostSorted::default() }
    }

    /// Returns the rows of the keys behind a place.
    ///
    /// A key may get a kind or an environment that no other key has after the names were read, and would be in no class. So
    /// the names are read again after the page, and the page is read again if they grew.
    pub(crate) async fn rows_after(
        &self,
        store: &SqlStore,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Row>, ManageError> {
        let mut names = ClassNames::default();
        if self.is_classed() {
            names.grow(store, self.filter).await?;
        }
        loop {
            let Some(asked) = self.page(store, after, limit, &names).await? else {
                return Ok(Vec::new());
            };
            let rows = store.read(asked.statement).await?;
            if !asked.names_classes || !names.grow(store, self.filter).await? {
                return Ok(rows);
            }
        }
    }

    /// Returns true if the keys of the list may be found by their classes.
    const fn is_classed(&self) -> bool {
        let filter = self.filter;
        filter.environment.is_some() || filter.kind.is_some() || filter.state.is_some()
    }

    /// Returns the statement for the keys behind a place; `None` if no key can match. Asks the database how many keys match
    /// each part of the filter, if that decides how the page is found.
    pub(super) async fn page(
        &self,
        store: &SqlStore,
        after: Option<&str>,
        limit: usize,
        names: &ClassNames,
    ) -> Result<Option<AskedPage>, ManageError> {
        let filter = self.filter;
        let after =
            after.map(|after| filter.order.position(after).ok_or(ManageError::WrongPosition));
        let after = after.transpose()?;
        if self.is_impossible() {
            return Ok(None);
        }
        let writer = ListWriter::new(store, filter);
        let Some(mut terms) = ListTerms::of(filter, self.now, after, writer.tables()) else {
            return Ok(None);
        };
        let classes =
            if self.is_classed() { KeyClass::all(filter.state, names, &mut terms) } else { None };
        let sets = self.sets(store, &writer, &terms, classes.as_deref()).await?;
        let names_classes = sets.iter().any(|(set, _)| set.is_of_class());
        let limit = terms.values.add(row_limit(limit));
        let statement = terms.values.statement(&writer.list(&sets, &terms, &limit));
        Ok(Some(AskedPage { statement, names_classes }))
    }

    /// No name is empty, and none has a NUL.
    fn is_impossible(&self) -> bool {
        let filter = self.filter;
        let names = [&filter.account, &filter.owner, &filter.kind, &filter.environment];
        let impossible = |name: &String| name.is_empty() || !can_be_stored(name);
        names.into_iter().flatten().any(impossible)
            || filter.name_prefix.as_ref().is_some_and(|prefix| !can_be_stored(prefix))
            || filter
                .tag
                .as_ref()
                .is_some_and(|(name, value)| !can_be_stored(name) || !can_be_stored(value))
    }

    /// Returns the sets of keys that the page is found in. They share no key.
    async fn sets(
        &self,
        store: &SqlStore,
        writer: &ListWriter<'_>,
        terms: &ListTerms,
        classes: Option<&[KeyClass]>,
    ) -> Result<Vec<(KeySet, Reading)>, StoreError> {
        let filter = self.filter;
        let mut candidates = KeySet::candidates(filter, terms, classes);
        // An index has the keys of each account, owner and tag in the order of ids.
        let is_ordered = |part: FilterPart| {
            classes.is_none()
                && filter.order == KeyOrder::Id
                && !matches!(part, FilterPart::Names | FilterPart::Expiry)
        };
        if let [(part, _)] = &*candidates
            && is_ordered(*part)
        {
            return Ok(in_order_of(&mut candidates, filter, terms));
        }
        let by_account = classes.is_some() && filter.state == Some(KeyState::Disabled);
        if by_account {
            candidates.push((FilterPart::Account, vec![KeySet::of_disabled_accounts()]));
        }
        let bound = self.most(candidates.len(), classes.is_some());
        let mut counts = self.count(store, writer, terms, &candidates, bound).await?;
        let disabled_accounts = if by_account { candidates.pop().zip(counts.pop()) } else { None };
        let smallest = (0..candidates.len()).zip(&counts).min_by_key(|(_, count)| **count);
        if let Some((place, count)) = smallest
            && *count <= bound
        {
            let (_, sets) = candidates.swap_remove(place);
            return Ok(sets.into_iter().map(|set| (set, Reading::All)).collect());
        }
        candidates.retain(|(part, _)| is_ordered(*part));
        if !candidates.is_empty() {
            return Ok(in_order_of(&mut candidates, filter, terms));
        }
        let Some(classes) = classes else {
            let all = KeySet::in_order(filter, terms, None);
            return Ok(all.into_iter().map(|set| (set, Reading::InOrder)).collect());
        };
        if let Some(periods) = &terms.periods {
            let of = |period| KeySet::of_status(KeyStatus::Live, Some(period));
            let later = (FilterPart::Expiry, vec![of(&periods.later)]);
            let (one, most) = (std::slice::from_ref(&later), self.most_sorted.one);
            let counts = self.count(store, writer, terms, one, most).await?;
            if counts.iter().all(|count| *count <= most) {
                let near = periods.each.iter().map(of);
                let near =
                    near.map(|set| (set.behind_place(filter.order, terms), Reading::InOrder));
                return Ok(near.chain([(of(&periods.later), Reading::All)]).collect());
            }
        }
        let mut sets = Vec::new();
        let mut classes = classes.to_vec();
        if let Some(((_, of_accounts), count)) = disabled_accounts
            && count <= self.most_sorted.one
        {
            classes.retain(|class| class.status != KeyStatus::Live);
            sets.extend(of_accounts.into_iter().map(|set| (set, Reading::All)));
        }
        let in_order = KeySet::in_order(filter, terms, Some(&classes));
        sets.extend(in_order.into_iter().map(|set| (set, Reading::InOrderOfClass)));
        Ok(sets)
    }

    /// A state, a kind or an environment is one more part: few of its keys may match the others.
    const fn most(&self, parts: usize, classed: bool) -> usize {
        if parts > 1 || classed { self.most_sorted.several } else { self.most_sorted.one }
    }

    /// Counts the keys of each candidate, up to one more than may be sorted.
    async fn count(
        &self,
        store: &SqlStore,
        writer: &ListWriter<'_>,
        terms: &ListTerms,
        candidates: &[Candidate],
        bound: usize,
    ) -> Result<Vec<usize>, StoreError> {
        let mut counts = vec![usize::MAX; candidates.len()];
        if candidates.is_empty() {
            return Ok(counts);
        }
        let most = bound.saturating_add(1);
        let texts: Vec<_> = candidates
            .iter()
            .enumerate()
            .map(|(number, (part, sets))| writer.count(number, *part, sets, most))
            .collect();
        for row in store.read(terms.values.statement(&texts.join(" UNION ALL "))).await? {
            let place = usize::try_from(row::number(&*row, "candidate")?).unwrap_or(usize::MAX);
            let number = usize::try_from(row::number(&*row, "number")?).unwrap_or(usize::MAX);
            if let Some(count) = counts.get_mut(place) {
                *count = number;
            }
        }
        Ok(counts)
    }
}

/// Reads the first candidate, which an index has in the order of the list.
fn in_order_of(
    candidates: &mut Vec<Candidate>,
    filter: &KeyFilter,
    terms: &ListTerms,
) -> Vec<(KeySet, Reading)> {
    let sets = candidates.drain(..).take(1).flat_map(|(_, sets)| sets);
    sets.map(|set| (set.behind_place(filter.order, terms), Reading::InOrder)).collect()
}
