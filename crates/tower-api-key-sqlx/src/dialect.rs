//! The differences between the two databases.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::inline::{BYTES_AS_HEX, milliseconds};

/// The database that speaks a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Returns the statements that begin a change, each of whose statements has this limit. A server also
    /// ends the change of a process that was frozen, because others wait for its locks. A change that is
    /// reported as done is on the disk, also where other transactions need not be: it may be a revocation.
    pub(super) fn begin(self, limit: Duration) -> SqlStr {
        match self {
            // Waits for another writer at the beginning. In the middle, SQLite would fail at once.
            Self::Sqlite => "BEGIN IMMEDIATE".into_sql_str(),
            // Overrides the default of the pool or role: each statement must see what the transactions
            // before it committed, such as a migration that held the lock.
            Self::Postgres => {
                let limit = milliseconds(limit);
                let begin = format!(
                    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; \
                     SET LOCAL idle_in_transaction_session_timeout = {limit}; {BYTES_AS_HEX}; \
                     SELECT set_config('synchronous_commit', 'local', true) \
                     WHERE current_setting('synchronous_commit') = 'off'"
                );
                AssertSqlSafe(begin).into_sql_str()
            }
        }
    }

    /// Returns a column of keys for a comparison with the trail. In PostgreSQL the trail has another collation, so its
    /// indexes would not be used.
    pub(super) fn in_trail(self, column: &str) -> String {
        match self {
            Self::Sqlite => column.to_owned(),
            Self::Postgres => format!("{column} COLLATE \"default\""),
        }
    }

    /// Returns a list of `count` numbered placeholders, for statements that have others, too. It is slow in SQLite for
    /// thousands of them.
    pub(super) fn numbered(first: usize, count: usize) -> String {
        (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
    }

    /// Returns a list of `count` placeholders, the first with this number. SQLite gets question marks: it
    /// searches all parameters for each numbered one, which takes seconds for 8,000 of them.
    pub(super) fn placeholders(self, first: usize, count: usize) -> String {
        let placeholder = |number| match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        };
        (first..first + count).map(placeholder).collect::<Vec<_>>().join(", ")
    }
}
