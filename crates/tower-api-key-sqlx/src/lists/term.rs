//! A condition of a list, and a statement with only the values that it uses.

use crate::dialect::Dialect;
use crate::statement::{Statement, Value};

/// Stands before each column of a term that an index could find.
const COLUMN: char = '~';

/// Stands around the number of a value. No name of a table has a control character.
const VALUE: char = '\u{1}';

/// A condition. Either an index finds the keys, or each key is checked.
#[derive(Debug, Clone)]
pub(super) struct Term(String);

impl Term {
    /// Returns a condition with a `~` before each column.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the condition so that an index may find its keys.
    pub(super) fn finding(&self) -> String {
        self.0.replace(COLUMN, "")
    }

    /// Returns the condition so that SQLite uses no index for it: a column behind a plus is no column to SQLite.
    pub(super) fn checking(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Sqlite => self.0.replace(COLUMN, "+"),
            Dialect::Postgres => self.finding(),
        }
    }
}

/// The values of a list. A statement gets those that its text uses.
#[derive(Debug, Default)]
pub(super) struct TermValues(Vec<Value>);

impl TermValues {
    /// Adds a value, and returns what stands for it in a text.
    pub(super) fn add(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("{VALUE}{}{VALUE}", self.0.len() - 1)
    }

    /// Returns a statement of a text that was made with these values. Its plan depends on them.
    pub(super) fn statement(&self, text: &str) -> Statement {
        let mut sql = String::with_capacity(text.len());
        let mut used: Vec<usize> = Vec::new();
        for (place, part) in text.split(VALUE).enumerate() {
            let number = if place % 2 == 1 { part.parse::<usize>().ok() } else { None };
            let Some(number) = number else {
                sql.push_str(part);
                continue;
            };
            let known = used.iter().position(|used| *used == number);
            let place = known.unwrap_or_else(|| {
                used.push(number);
                used.len() - 1
            });
            sql.push_str(&format!("${}", place + 1));
        }
        let values = used.iter().filter_map(|number| self.0.get(*number));
        values.cloned().fold(Statement::made(sql).planned_anew(), Statement::bind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_the_values_that_it_uses() {
        let mut values = TermValues::default();
        let [one, _two, three] = [1, 2, 3].map(|number| values.add(number));
        let statement = values.statement(&format!("a = {three} AND b = {one} AND c = {three}"));
        assert_eq!(statement.sql.as_str(), "a = $1 AND b = $2 AND c = $1");
        let numbers: Vec<_> = statement
            .values
            .iter()
            .map(|value| match value {
                Value::Number(number) => *number,
                _ => None,
            })
            .collect();
        assert_eq!(numbers, [Some(3), Some(1)]);
    }

    #[test]
    fn a_checked_column_is_hidden_from_sqlite() {
        let term = Term::new("~k.name >= $1");
        assert_eq!(term.finding(), "k.name >= $1");
        assert_eq!(term.checking(Dialect::Sqlite), "+k.name >= $1");
        assert_eq!(term.checking(Dialect::Postgres), "k.name >= $1");
    }
}
