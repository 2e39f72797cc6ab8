//! The text of a list: a union of branches, each of which reads one set of keys by one index.

use super::key_set::{FilterPart, FoundIn, KeySet};
use super::list_terms::{ListTerms, name_column};
use super::term::Term;
use crate::SqlStore;
use crate::dialect::Dialect;
use tower_api_key::store::{KeyFilter, KeyOrder};

/// How the keys of a set are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// All of them, to be sorted.
    All,
    /// In the order of the index, until the page is full.
    InOrder,
    /// As `InOrder`, of one environment and one kind.
    InOrderOfClass,
}

/// Writes the statements of one list.
pub(super) struct ListWriter<'a> {
    store: &'a SqlStore,
    filter: &'a KeyFilter,
    keys: String,
    accounts: String,
    tags: String,
    secrets: String,
}

impl<'a> ListWriter<'a> {
    pub(super) fn new(store: &'a SqlStore, filter: &'a KeyFilter) -> Self {
        let [keys, accounts, tags, secrets] =
            ["{keys}", "{accounts}", "{tags}", "{secrets}"].map(|table| store.tables.fill(table));
        Self { store, filter, keys, accounts, tags, secrets }
    }

    /// Returns what the terms of a list need: the dialect, and the tables of accounts, tags and secrets.
    pub(super) fn tables(&self) -> (Dialect, [&str; 3]) {
        (self.store.dialect, [&self.accounts, &self.tags, &self.secrets])
    }

    /// Returns the text that counts the keys that match a part, up to a number.
    pub(super) fn count(
        &self,
        number: usize,
        part: FilterPart,
        sets: &[KeySet],
        most: usize,
    ) -> String {
        let one = |set: &KeySet| {
            let found: Vec<_> = set.terms.iter().map(Term::finding).collect();
            // Each row is that of one key, so the keys need not be looked up.
            let (from, id) = match self.naming(set.found_in) {
                Some(table) => (format!("{table} t"), "t.key_id"),
                None => (self.from(set.found_in), "k.id"),
            };
            // The order of the index keeps PostgreSQL from reading the whole table until it has found enough.
            let order = match (sets, part) {
                ([_], FilterPart::Names) => name_column(self.store.dialect),
                ([_], FilterPart::Expiry) => "k.expires",
                ([_], _) => id,
                _ => return format!("SELECT 1 AS one FROM {from}{}", conditions(&found)),
            };
            let found = conditions(&found);
            format!(
                "SELECT 1 AS one FROM (SELECT {id} FROM {from}{found} ORDER BY {order} LIMIT {most}) o"
            )
        };
        let all: Vec<_> = sets.iter().map(one).collect();
        format!(
            "SELECT CAST({number} AS BIGINT) AS candidate, COUNT(*) AS number FROM ({} LIMIT {most}) c",
            all.join(" UNION ALL ")
        )
    }

    /// Returns the text of a list of the keys in sets that share no key.
    pub(super) fn list(
        &self,
        sets: &[(KeySet, Reading)],
        terms: &ListTerms,
        limit: &str,
    ) -> String {
        let branches: Vec<_> =
            sets.iter().map(|(set, reading)| self.branch(set, *reading, terms, limit)).collect();
        let found = match &*branches {
            [one] => one.clone(),
            all => {
                let all: Vec<_> = all
                    .iter()
                    .enumerate()
                    .map(|(place, branch)| format!("SELECT * FROM ({branch}) b{place}"))
                    .collect();
                let order = self.order("", "f.");
                format!(
                    "SELECT * FROM ({}) f ORDER BY {order} LIMIT {limit}",
                    all.join(" UNION ALL ")
                )
            }
        };
        let (queries, keys) = (&self.store.queries, &self.keys);
        let (from, joins) = (queries.list_from.as_str(), queries.list_joins.as_str());
        let looked_up = match self.store.dialect {
            Dialect::Sqlite => format!("CROSS JOIN {keys} k ON k.id = p.id"),
            Dialect::Postgres => {
                format!("CROSS JOIN LATERAL (SELECT * FROM {keys} WHERE id = p.id OFFSET 0) k")
            }
        };
        let (order, secrets) = (self.order("", "k."), queries.list_secrets.as_str());
        format!("{from} FROM ({found}) p {looked_up}{joins} ORDER BY {order}, {secrets}")
    }

    fn branch(&self, set: &KeySet, reading: Reading, terms: &ListTerms, limit: &str) -> String {
        let dialect = self.store.dialect;
        let found: Vec<_> = set.terms.iter().map(Term::finding).collect();
        let checks = set.checks(self.filter, terms, dialect);
        let columns = match self.filter.order {
            KeyOrder::Name => "k.name, k.id",
            KeyOrder::Expiry => "k.expires, k.id",
            _ => "k.id",
        };
        let order = match (reading, dialect) {
            (Reading::All, Dialect::Sqlite) => self.order("+", "k."),
            (Reading::InOrder, _) if set.found_in.names_keys() => "t.key_id".to_owned(),
            (Reading::All, Dialect::Postgres) | (Reading::InOrder, _) => self.order("", "k."),
            // To PostgreSQL, a column that is NULL in all rows is still one to sort by.
            (Reading::InOrderOfClass, _) => {
                format!("k.environment, k.kind, {}", self.order("", "k."))
            }
        };
        let is_fenced = dialect == Dialect::Postgres
            && reading == Reading::All
            && set.found_in == FoundIn::Keys;
        let (from, conditions) = if is_fenced {
            // The offset keeps PostgreSQL from finding the keys by a check.
            let found = conditions(&found);
            let keys = format!("(SELECT k.* FROM {} k{found} OFFSET 0) k", self.keys);
            (keys, conditions(&checks))
        } else {
            (self.from(set.found_in), conditions(&[found, checks].concat()))
        };
        format!("SELECT {columns} FROM {from}{conditions} ORDER BY {order} LIMIT {limit}")
    }

    /// Returns the table whose rows each name a key.
    const fn naming(&self, found_in: FoundIn) -> Option<&String> {
        match found_in {
            FoundIn::Tags => Some(&self.tags),
            FoundIn::Tails => Some(&self.secrets),
            FoundIn::Keys | FoundIn::DisabledAccounts => None,
        }
    }

    fn from(&self, found_in: FoundIn) -> String {
        let (keys, sqlite) = (&self.keys, self.store.dialect == Dialect::Sqlite);
        let (other, column, is) = match (found_in, self.naming(found_in)) {
            (_, Some(table)) => (format!("{table} t"), "id", "t.key_id"),
            (FoundIn::DisabledAccounts, _) => (format!("{} b", self.accounts), "account", "b.id"),
            (_, None) => return format!("{keys} k"),
        };
        // Both databases look the keys up, one by one.
        if sqlite {
            return format!("{other} CROSS JOIN {keys} k ON k.{column} = {is}");
        }
        format!(
            "{other} CROSS JOIN LATERAL (SELECT * FROM {keys} WHERE {column} = {is} OFFSET 0) k"
        )
    }

    /// Returns the order of the list, with a sign before each column of a table.
    fn order(&self, sign: &str, table: &str) -> String {
        let name = name_column(self.store.dialect).replace("k.", table);
        match self.filter.order {
            KeyOrder::Name => format!("{sign}{name}, {sign}{table}id"),
            KeyOrder::Expiry => format!("{sign}{table}expires, {sign}{table}id"),
            _ => format!("{sign}{table}id"),
        }
    }
}

fn conditions(all: &[String]) -> String {
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}
