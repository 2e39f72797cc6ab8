//! A statement with its values, for both databases.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// A value of a parameter.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Vec<u8>),
}

/// A statement that can run on any connection, and again on another.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) sql: SqlStr,
    pub(super) values: Vec<Value>,
    /// Whether the database plans each run by its values, and keeps no plan. PostgreSQL makes a plan for any values from the
    /// sixth run on, which takes a limit for a tenth of all rows.
    pub(super) is_planned_anew: bool,
}

impl Statement {
    pub(super) fn new(sql: &SqlStr) -> Self {
        Self { sql: sql.clone(), values: Vec::new(), is_planned_anew: false }
    }

    /// Returns a statement from text of this crate, which holds checked names and placeholders only.
    pub(super) fn made(sql: String) -> Self {
        Self { sql: AssertSqlSafe(sql).into_sql_str(), values: Vec::new(), is_planned_anew: false }
    }

    pub(super) const fn planned_anew(mut self) -> Self {
        self.is_planned_anew = true;
        self
    }

    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

impl From<&'static str> for Statement {
    fn from(sql: &'static str) -> Self {
        Self { sql: sql.into_sql_str(), values: Vec::new(), is_planned_anew: false }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}
