//! The sets of keys that an index finds, each by a part of a filter.

use super::key_class::{KeyClass, KeyStatus};
use super::list_terms::ListTerms;
use super::term::Term;
use crate::dialect::Dialect;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState};

/// A part of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterPart {
    Account,
    Owner,
    Kind,
    Environment,
    Tag,
    Tail,
    Names,
    Expiry,
    BehindId,
    State,
}

impl FilterPart {
    /// The parts that are checked by themselves.
    const ALL: [Self; 9] = [
        Self::Account,
        Self::Owner,
        Self::Kind,
        Self::Environment,
        Self::Tag,
        Self::Tail,
        Self::Names,
        Self::Expiry,
        Self::BehindId,
    ];
}

/// The tables in which keys are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundIn {
    Keys,
    Tags,
    Tails,
    DisabledAccounts,
}

impl FoundIn {
    /// Returns true for a table `t` whose rows each name a key, by an index in the order of ids.
    pub(super) const fn names_keys(self) -> bool {
        matches!(self, Self::Tags | Self::Tails)
    }
}

/// What is known of the state of the keys that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownState {
    Nothing,
    Status(KeyStatus),
    /// The account is disabled. Keys that are disabled themselves are found elsewhere.
    DisabledAccount,
}

/// Keys that one step in an index finds.
#[derive(Debug, Clone)]
pub(super) struct KeySet {
    pub(super) found_in: FoundIn,
    pub(super) terms: Vec<Term>,
    /// The parts of the filter that all of these keys match.
    matches: Vec<FilterPart>,
    state: KnownState,
}

impl KeySet {
    /// Returns the keys that match one part.
    fn one(part: FilterPart, found_in: FoundIn, term: &Term) -> Self {
        Self {
            found_in,
            terms: vec![term.clone()],
            matches: vec![part],
            state: KnownState::Nothing,
        }
    }

    /// Returns the keys of a class; all keys, if there is none.
    fn of_class(class: Option<&KeyClass>) -> Self {
        let (terms, matches, state) = match class {
            Some(class) => (
                class.terms.clone(),
                vec![FilterPart::Environment, FilterPart::Kind],
                KnownState::Status(class.status),
            ),
            None => (Vec::new(), Vec::new(), KnownState::Nothing),
        };
        Self { found_in: FoundIn::Keys, terms, matches, state }
    }

    /// Returns the keys with a status and, if given, one more condition, which is no part of the filter.
    pub(super) fn of_status(status: KeyStatus, more: Option<&Term>) -> Self {
        let terms = std::iter::once(Term::new(status.text())).chain(more.cloned()).collect();
        let (matches, state) = (Vec::new(), KnownState::Status(status));
        Self { found_in: FoundIn::Keys, terms, matches, state }
    }

    /// Returns true if the keys have the environment and the kind of a class.
    pub(super) fn is_of_class(&self) -> bool {
        [FilterPart::Environment, FilterPart::Kind].iter().all(|part| self.matches.contains(part))
    }

    /// Returns the keys that an index finds by their state alone.
    fn by_status(state: Option<KeyState>) -> Option<Vec<Self>> {
        let of = |status| Self::of_status(status, None);
        match state? {
            KeyState::Revoked => Some(vec![of(KeyStatus::Revoked)]),
            KeyState::Disabled => Some(vec![of(KeyStatus::Off), Self::of_disabled_accounts()]),
            _ => None,
        }
    }

    /// Returns the keys whose account is disabled.
    pub(super) fn of_disabled_accounts() -> Self {
        Self {
            found_in: FoundIn::DisabledAccounts,
            terms: vec![Term::new("b.disabled <> 0")],
            matches: Vec::new(),
            state: KnownState::DisabledAccount,
        }
    }

    fn and(mut self, part: FilterPart, terms: &[Term]) -> Self {
        self.terms.extend(terms.iter().cloned());
        self.matches.push(part);
        self
    }

    /// Returns the parts of a filter that match few keys in most stores, with the keys that match.
    pub(super) fn candidates(
        filter: &KeyFilter,
        terms: &ListTerms,
        classes: Option<&[KeyClass]>,
    ) -> Vec<(FilterPart, Vec<Self>)> {
        let mut sets = Vec::new();
        let unclassed = classes.is_none();
        for (part, term, counts) in [
            (FilterPart::Account, &terms.account, true),
            (FilterPart::Owner, &terms.owner, true),
            (FilterPart::Kind, &terms.kind, unclassed),
            (FilterPart::Environment, &terms.environment, unclassed),
        ] {
            if let Some(term) = term.as_ref().filter(|_| counts) {
                sets.push((part, vec![Self::one(part, FoundIn::Keys, term)]));
            }
        }
        if let Some((found, _)) = &terms.tag {
            let part = FilterPart::Tag;
            sets.push((part, vec![Self::one(part, FoundIn::Tags, found)]));
        }
        if let Some((found, _)) = &terms.tail {
            let part = FilterPart::Tail;
            sets.push((part, vec![Self::one(part, FoundIn::Tails, found)]));
        }
        if unclassed && let Some(status) = Self::by_status(filter.state) {
            sets.push((FilterPart::State, status));
        }
        if filter.order != KeyOrder::Name && !terms.names.is_empty() {
            let part = FilterPart::Names;
            let of = |set: Self| set.and(part, &terms.names);
            sets.push((part, Self::each(classes).map(of).collect()));
        }
        let expiry = &terms.expiry;
        // Without classes, no index has the keys that never expire.
        if filter.order != KeyOrder::Expiry && !expiry.is_open() && !(unclassed && expiry.or_never)
        {
            let part = FilterPart::Expiry;
            let ends = Self::each(classes).map(|set| set.and(part, &expiry.bounds));
            let never = Self::each(classes).filter(|_| expiry.or_never);
            let never = never.map(|set| set.and(part, &[Term::new("~k.expires IS NULL")]));
            sets.push((part, ends.chain(never).collect()));
        }
        sets
    }

    /// Returns the keys in the order of the list, from its place on.
    pub(super) fn in_order(
        filter: &KeyFilter,
        terms: &ListTerms,
        classes: Option<&[KeyClass]>,
    ) -> Vec<Self> {
        Self::each(classes).map(|set| set.behind_place(filter.order, terms)).collect()
    }

    /// Returns the keys of a set from the place of the list on.
    pub(super) fn behind_place(self, order: KeyOrder, terms: &ListTerms) -> Self {
        match (order, &terms.behind_id) {
            (KeyOrder::Name, _) => self.and(FilterPart::Names, &terms.names),
            (KeyOrder::Expiry, _) => self.and(FilterPart::Expiry, &terms.expiry.bounds),
            (_, Some(behind)) if self.found_in.names_keys() => {
                let behind = Term::new(behind.finding().replace("k.id", "t.key_id"));
                self.and(FilterPart::BehindId, &[behind])
            }
            (_, Some(behind)) => self.and(FilterPart::BehindId, std::slice::from_ref(behind)),
            (_, None) => self,
        }
    }

    fn each(classes: Option<&[KeyClass]>) -> impl Iterator<Item = Self> {
        let all = classes.is_none().then(|| Self::of_class(None));
        let classes = classes.unwrap_or_default();
        all.into_iter().chain(classes.iter().map(|class| Self::of_class(Some(class))))
    }

    /// Returns what must be checked of each key of this set.
    pub(super) fn checks(
        &self,
        filter: &KeyFilter,
        terms: &ListTerms,
        dialect: Dialect,
    ) -> Vec<String> {
        let text = |term: &Option<Term>| term.as_ref().map(|term| term.checking(dialect));
        let mut checks = Vec::new();
        for part in FilterPart::ALL.into_iter().filter(|part| !self.matches.contains(part)) {
            match part {
                FilterPart::Account => checks.extend(text(&terms.account)),
                FilterPart::Owner => checks.extend(text(&terms.owner)),
                FilterPart::Kind => checks.extend(text(&terms.kind)),
                FilterPart::Environment => checks.extend(text(&terms.environment)),
                FilterPart::Tag => {
                    checks.extend(terms.tag.as_ref().map(|(_, term)| term.checking(dialect)));
                }
                FilterPart::Tail => {
                    checks.extend(terms.tail.as_ref().map(|(_, term)| term.checking(dialect)));
                }
                FilterPart::Names => {
                    checks.extend(terms.names.iter().map(|term| term.checking(dialect)));
                }
                FilterPart::Expiry => checks.extend(terms.expiry.checked(dialect)),
                FilterPart::BehindId => checks.extend(text(&terms.behind_id)),
                FilterPart::State => {}
            }
        }
        checks.extend(self.state_check(filter.state, terms, dialect));
        checks
    }

    /// Returns the condition on the state, as [`KeyState::of`] computes it. The expiry is another part.
    fn state_check(
        &self,
        state: Option<KeyState>,
        terms: &ListTerms,
        dialect: Dialect,
    ) -> Option<String> {
        let status = |status: KeyStatus| Term::new(status.text()).checking(dialect);
        let enabled = terms.account_enabled.checking(dialect);
        let disabled = terms.account_disabled.checking(dialect);
        Some(match (state?, self.state) {
            (_, KnownState::DisabledAccount) => status(KeyStatus::Live),
            (KeyState::Revoked, KnownState::Nothing) => status(KeyStatus::Revoked),
            (KeyState::Disabled, KnownState::Status(KeyStatus::Live)) => disabled,
            (KeyState::Revoked | KeyState::Disabled, KnownState::Status(_)) => return None,
            (KeyState::Disabled, KnownState::Nothing) => {
                let (off, live) = (status(KeyStatus::Off), status(KeyStatus::Live));
                format!("(({off}) OR ({live} AND {disabled}))")
            }
            (_, KnownState::Status(_)) => enabled,
            (_, KnownState::Nothing) => format!("{} AND {enabled}", status(KeyStatus::Live)),
        })
    }
}
