//! The statement of a list of keys. It has only the conditions of its filter, so that each can use an index.

use super::SqlStore;
use super::dialect::Dialect;
use super::driver::Columns;
use super::row;
use super::statement::{Statement, Value};
use super::storable::{can_be_stored, row_limit, storable};
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyPosition, KeyState, ManageError, StoreError};

/// A list of keys at an instant.
pub(super) struct KeyList<'a> {
    pub(super) filter: &'a KeyFilter,
    pub(super) now: Timestamp,
}

/// The conditions of a list, and the values in them.
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition. `{}` in it stands for the next value.
    fn add(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let mut sql = condition.to_owned();
        for value in values {
            self.values.push(value);
            sql = sql.replacen("{}", &format!("${}", self.values.len()), 1);
        }
        self.sql.push(sql);
    }
}

impl KeyList<'_> {
    /// Returns the statement for the keys behind a place; `None` if no key can match.
    pub(super) fn after(
        &self,
        store: &SqlStore,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Option<Statement>, ManageError> {
        let filter = self.filter;
        let names = [&filter.account, &filter.owner, &filter.kind, &filter.environment];
        // No name is empty, and none has a NUL.
        let impossible = |name: &String| name.is_empty() || !can_be_stored(name);
        let tag = filter.tag.as_ref();
        if names.into_iter().flatten().any(impossible)
            || filter.name_prefix.as_ref().is_some_and(|prefix| !can_be_stored(prefix))
            || tag.is_some_and(|(name, value)| !can_be_stored(name) || !can_be_stored(value))
        {
            return Ok(None);
        }
        let after =
            after.map(|after| filter.order.position(after).ok_or(ManageError::WrongPosition));
        let mut conditions = Conditions { sql: Vec::new(), values: Vec::new() };
        self.names(&mut conditions);
        self.state(store, &mut conditions);
        self.position(store, after.transpose()?, &mut conditions);
        let queries = &store.queries;
        let mut sql = queries.list_from.as_str().to_owned();
        if let Some((name, value)) = tag {
            sql.push_str(queries.list_tags.as_str());
            conditions.add("t.name = {}", [name.as_str().into()]);
            conditions.add("t.value = {}", [value.as_str().into()]);
        }
        if !conditions.sql.is_empty() {
            sql.push_str(" WHERE ");
            sql.push_str(&conditions.sql.join(" AND "));
        }
        let order = match filter.order {
            // The primary key of tags is in the order of ids.
            KeyOrder::Id if tag.is_some() => "t.key_id",
            KeyOrder::Name => name_order(store.dialect),
            KeyOrder::Expiry => "k.expires, k.id",
            _ => "k.id",
        };
        let (joins, secrets) = (queries.list_joins.as_str(), queries.list_secrets.as_str());
        let outer = if filter.order == KeyOrder::Id { "k.id" } else { order };
        let limited = conditions.values.len() + 1;
        sql.push_str(&format!(
            " ORDER BY {order} LIMIT ${limited}{joins} ORDER BY {outer}, {secrets}"
        ));
        let statement = Statement::made(sql);
        let values = conditions.values.into_iter().chain([row_limit(limit).into()]);
        Ok(Some(values.fold(statement, Statement::bind)))
    }

    fn names(&self, conditions: &mut Conditions) {
        let filter = self.filter;
        for (column, name) in [
            ("account", &filter.account),
            ("owner", &filter.owner),
            ("kind", &filter.kind),
            ("environment", &filter.environment),
        ] {
            if let Some(name) = name {
                conditions.add(&format!("k.{column} = {{}}"), [name.as_str().into()]);
            }
        }
    }

    /// Adds the condition on the state, as [`KeyState::of`] computes it.
    fn state(&self, store: &SqlStore, conditions: &mut Conditions) {
        let enabled = store.queries.list_enabled.as_str();
        match self.filter.state {
            None => return,
            Some(KeyState::Revoked) => {
                conditions.add("k.revoked <> 0", []);
                return;
            }
            Some(KeyState::Disabled) => {
                conditions.add(store.queries.list_disabled.as_str(), []);
            }
            Some(KeyState::Expired) => {
                conditions.add(enabled, []);
                conditions.add("k.expires <= {}", [row::column(self.now).into()]);
            }
            Some(_) => {
                conditions.add(enabled, []);
                let alive = "(k.expires IS NULL OR k.expires > {})";
                conditions.add(alive, [row::column(self.now).into()]);
            }
        }
        conditions.add("k.revoked = 0", []);
    }

    /// Adds the conditions on what lists are in the order of.
    fn position(
        &self,
        store: &SqlStore,
        after: Option<KeyPosition<'_>>,
        conditions: &mut Conditions,
    ) {
        let name = name_column(store.dialect);
        if let Some(prefix) = self.filter.name_prefix.as_deref().filter(|prefix| !prefix.is_empty())
        {
            conditions.add(&format!("{name} >= {{}}"), [prefix.into()]);
            if let Some(end) = behind_prefix(prefix) {
                conditions.add(&format!("{name} < {{}}"), [end.into()]);
            }
        }
        if let Some(before) = self.filter.expires_before {
            conditions.add("k.expires < {}", [row::column(before).into()]);
        }
        if self.filter.order == KeyOrder::Expiry {
            conditions.add("k.expires IS NOT NULL", []);
        }
        let id = |id| Value::from(storable(id));
        match after {
            None => {}
            Some(KeyPosition::Name(after, last)) => {
                let place = [storable(after).into(), id(last)];
                conditions.add(&format!("({name}, k.id) > ({{}}, {{}})"), place);
            }
            Some(KeyPosition::Expiry(at, last)) => {
                conditions.add("(k.expires, k.id) > ({}, {})", [row::column(at).into(), id(last)]);
            }
            Some(KeyPosition::Id(last)) => {
                let column = if self.filter.tag.is_some() { "t.key_id" } else { "k.id" };
                conditions.add(&format!("{column} > {{}}"), [id(last)]);
            }
            // A later release of the core may know more orders. This one lists nothing in them.
            Some(_) => conditions.add("1 = 0", []),
        }
    }
}

const fn name_column(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "k.name",
        Dialect::Postgres => "k.name COLLATE \"C\"",
    }
}

const fn name_order(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "k.name, k.id",
        Dialect::Postgres => "k.name COLLATE \"C\", k.id",
    }
}

/// Returns the first text behind all texts with a prefix; `None` if no text is.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The range skips the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// Returns the place of a row in a list.
pub(super) fn position(row: &dyn Columns, order: KeyOrder) -> Result<String, StoreError> {
    let id = row::text(row, "id")?;
    Ok(match order {
        KeyOrder::Name => KeyPosition::Name(&row::text(row, "name")?, &id).to_string(),
        KeyOrder::Expiry => {
            let expires = row::timestamp(row::number(row, "expires")?);
            KeyPosition::Expiry(expires, &id).to_string()
        }
        _ => id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(behind_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
