//! In what the two databases differ.

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
            // Another writer is waited for at the beginning, and not in the middle, where SQLite
            // would fail at once.
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Whatever a pool or a role has for its own: each statement is to see what those that were
            // waited for have done, the migrator behind its lock among them.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Lists parameters, from the first or another on. SQLite looks for each numbered one among all of
    /// them, which takes 8,000 of them seconds; it counts question marks.
    pub(super) fn places(self, first: usize, count: usize) -> String {
        let place = |number| match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        };
        (first..first + count).map(place).collect::<Vec<_>>().join(", ")
    }
}
