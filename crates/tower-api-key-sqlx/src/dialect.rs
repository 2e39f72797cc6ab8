//! The differences between the two databases.

/// The database that speaks a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Returns the statement that begins a change.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            // Waits for another writer at the beginning. In the middle, SQLite would fail at once.
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Overrides the default of the pool or role: each statement must see what the transactions
            // before it committed, such as a migration that held the lock.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
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
