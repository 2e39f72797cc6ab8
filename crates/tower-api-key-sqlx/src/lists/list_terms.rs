//! The conditions of a filter, each by itself.

use super::list_place::behind_prefix;
use super::periods::PeriodTerms;
use super::term::{Term, TermValues};
use crate::dialect::Dialect;
use crate::row;
use crate::storable::storable;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyPosition, KeyState};

/// The conditions of a filter. Keys are `k`, and tags or secrets are `t`.
#[derive(Debug)]
pub(super) struct ListTerms {
    pub(super) values: TermValues,
    pub(super) account: Option<Term>,
    pub(super) owner: Option<Term>,
    pub(super) kind: Option<Term>,
    pub(super) environment: Option<Term>,
    /// The condition on a row of tags, and the one on a key.
    pub(super) tag: Option<(Term, Term)>,
    /// The condition on a row of secrets, which finds each key once, and the one on a key.
    pub(super) tail: Option<(Term, Term)>,
    /// The span of names. Empty if any name will do.
    pub(super) names: Vec<Term>,
    pub(super) expiry: ExpiryTerms,
    pub(super) periods: Option<PeriodTerms>,
    /// The place in the order of ids. Those in other orders are in `names` or `expiry`.
    pub(super) behind_id: Option<Term>,
    /// The condition of a key that belongs to a disabled account.
    pub(super) account_disabled: Term,
    pub(super) account_enabled: Term,
}

/// The span of instants at which keys expire.
#[derive(Debug, Default)]
pub(super) struct ExpiryTerms {
    /// The bounds. Empty if any instant will do.
    pub(super) bounds: Vec<Term>,
    /// Whether keys that never expire are in the list.
    pub(super) or_never: bool,
}

impl ListTerms {
    /// Returns the conditions; `None` if the place belongs to an order that is not known here.
    pub(super) fn of(
        filter: &KeyFilter,
        now: Timestamp,
        after: Option<KeyPosition<'_>>,
        (dialect, [accounts, tags, secrets]): (Dialect, [&str; 3]),
    ) -> Option<Self> {
        let mut values = TermValues::default();
        let mut is = |column: &str, name: &Option<String>| {
            let value = values.add(name.as_deref()?);
            Some(Term::new(format!("~{column} = {value}")))
        };
        let account = is("k.account", &filter.account);
        let owner = is("k.owner", &filter.owner);
        let kind = is("k.kind", &filter.kind);
        let environment = is("k.environment", &filter.environment);
        let tag = filter.tag.as_ref().map(|(name, value)| {
            let (name, value) = (values.add(name.as_str()), values.add(value.as_str()));
            let found = format!("t.name = {name} AND t.value = {value}");
            // With the offset, PostgreSQL looks each key up. Otherwise it may read all keys with the tag first.
            let checked = format!(
                "EXISTS (SELECT 1 FROM {tags} t WHERE {found} AND t.key_id = k.id LIMIT 1 OFFSET 0)"
            );
            (Term::new(found), Term::new(checked))
        });
        let tail = filter.tail.map(|tail| {
            let tail = values.add(tail.to_string());
            // A rehashed secret has two rows for a day, and two secrets of a key may end alike. With the offset, PostgreSQL
            // looks up the few rows of each key, whatever it believes of the number of tails.
            let found = format!(
                "t.tail = {tail} AND NOT EXISTS (SELECT 1 FROM {secrets} o \
                 WHERE o.tail = {tail} AND o.key_id = t.key_id AND o.digest < t.digest LIMIT 1 OFFSET 0)"
            );
            let checked = format!(
                "EXISTS (SELECT 1 FROM {secrets} t WHERE t.tail = {tail} AND t.key_id = k.id LIMIT 1 OFFSET 0)"
            );
            (Term::new(found), Term::new(checked))
        });
        let (mut names, mut behind_id) = (prefix(filter, dialect, &mut values), None);
        let mut expiry = Span::of(filter, now);
        match after {
            None => {}
            Some(KeyPosition::Id(last)) => {
                let value = values.add(storable(last));
                behind_id = Some(Term::new(format!("~k.id > {value}")));
            }
            // A place before the prefix adds nothing. A place behind its first name replaces it.
            Some(KeyPosition::Name(name, _))
                if name < filter.name_prefix.as_deref().unwrap_or_default() => {}
            Some(KeyPosition::Name(name, last)) => {
                let (name, id) = (values.add(storable(name)), values.add(storable(last)));
                let column = name_column(dialect);
                let place = Term::new(format!("(~{column}, ~k.id) > ({name}, {id})"));
                let begins = usize::from(!names.is_empty());
                names.splice(..begins, [place]);
            }
            Some(KeyPosition::Expiry(at, last)) => expiry.go_on(row::column(at), last),
            // A later release of the core may know more orders. This one lists nothing in them.
            Some(_) => return None,
        }
        let expiry = expiry.terms(&mut values);
        let periods = PeriodTerms::of(filter, now, &mut values);
        let disabled = format!("SELECT x.id FROM {accounts} x WHERE x.disabled <> 0");
        let (account_disabled, account_enabled) = match &account {
            Some(account) => {
                let account = account.finding().replace("k.account", "x.id");
                let one = format!("EXISTS ({disabled} AND {account})");
                (one.clone(), format!("NOT {one}"))
            }
            // In this form PostgreSQL reads the disabled accounts once, and joins nothing.
            None => (
                format!("(~k.account IN ({disabled})) IS TRUE"),
                format!("~k.account NOT IN ({disabled})"),
            ),
        };
        let [account_disabled, account_enabled] =
            [account_disabled, account_enabled].map(Term::new);
        Some(Self {
            values,
            account,
            owner,
            kind,
            environment,
            tag,
            tail,
            names,
            expiry,
            periods,
            behind_id,
            account_disabled,
            account_enabled,
        })
    }
}

impl ExpiryTerms {
    /// Returns true if any key matches.
    pub(super) const fn is_open(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Returns the conditions as one that is checked.
    pub(super) fn checked(&self, dialect: Dialect) -> Option<String> {
        if self.is_open() {
            return None;
        }
        let bounds: Vec<_> = self.bounds.iter().map(|term| term.checking(dialect)).collect();
        let bounds = bounds.join(" AND ");
        let never = Term::new("~k.expires IS NULL").checking(dialect);
        Some(if self.or_never { format!("({never} OR ({bounds}))") } else { bounds })
    }
}

/// Returns the span of names of a prefix. The first term is where it begins.
fn prefix(filter: &KeyFilter, dialect: Dialect, values: &mut TermValues) -> Vec<Term> {
    let Some(prefix) = filter.name_prefix.as_deref().filter(|prefix| !prefix.is_empty()) else {
        return Vec::new();
    };
    let column = name_column(dialect);
    let begins = values.add(prefix);
    let mut terms = vec![Term::new(format!("~{column} >= {begins}"))];
    if let Some(end) = behind_prefix(prefix) {
        let end = values.add(end);
        terms.push(Term::new(format!("~{column} < {end}")));
    }
    terms
}

/// The span of instants at which keys of a list expire.
struct Span {
    /// Keys that expire at this instant or earlier are not in the list.
    over: Option<i64>,
    below: Option<i64>,
    place: Option<(i64, String)>,
    or_never: bool,
}

impl Span {
    fn of(filter: &KeyFilter, now: Timestamp) -> Self {
        let now = row::column(now);
        let expired = matches!(filter.state, Some(KeyState::Expired));
        let active = matches!(filter.state, Some(KeyState::Active));
        let below =
            [filter.expires_before.map(row::column), expired.then(|| now.saturating_add(1))];
        let below = below.into_iter().flatten().min();
        let or_never = below.is_none() && filter.order != KeyOrder::Expiry;
        // An index has the keys that never expire before all others, so each span begins somewhere.
        let over = if active { Some(now) } else { (!or_never).then_some(i64::MIN) };
        Self { over, below, place: None, or_never }
    }

    /// Goes on behind a place. Of the place and the first instant, the later one counts.
    fn go_on(&mut self, at: i64, last: &str) {
        if self.over.is_none_or(|over| at > over) {
            self.place = Some((at, storable(last).to_owned()));
        }
    }

    fn terms(self, values: &mut TermValues) -> ExpiryTerms {
        let mut bounds = Vec::new();
        if let Some((at, id)) = self.place {
            let (at, id) = (values.add(at), values.add(id));
            bounds.push(format!("(~k.expires, ~k.id) > ({at}, {id})"));
        } else if let Some(over) = self.over {
            bounds.push(format!("~k.expires > {}", values.add(over)));
        }
        if let Some(below) = self.below {
            bounds.push(format!("~k.expires < {}", values.add(below)));
        }
        let bounds = bounds.into_iter().map(Term::new).collect();
        ExpiryTerms { bounds, or_never: self.or_never }
    }
}

/// Returns the column of names in the order of their bytes.
pub(super) const fn name_column(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "k.name",
        Dialect::Postgres => "k.name COLLATE \"C\"",
    }
}
