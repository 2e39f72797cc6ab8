//! The steps that create the tables.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::dialect::Dialect;

/// A step. It never changes after its release.
#[derive(Debug, Clone)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// The oldest version whose programs read and write the tables correctly after this step. It is
    /// `version` itself if no older program may go on.
    pub(super) compatible_from: i64,
}

/// Returns all steps, the oldest first.
pub(super) fn steps(dialect: Dialect) -> Vec<Migration> {
    let (tables, marks, commands, usage) = match dialect {
        Dialect::Sqlite => (
            include_str!("../migrations/0001_tables.sqlite.sql"),
            include_str!("../migrations/0002_marks.sqlite.sql"),
            include_str!("../migrations/0003_commands.sqlite.sql"),
            include_str!("../migrations/0006_usage.sqlite.sql"),
        ),
        Dialect::Postgres => (
            include_str!("../migrations/0001_tables.postgres.sql"),
            include_str!("../migrations/0002_marks.postgres.sql"),
            include_str!("../migrations/0003_commands.postgres.sql"),
            include_str!("../migrations/0006_usage.postgres.sql"),
        ),
    };
    vec![
        Migration { version: 1, name: "tables", sql: tables, compatible_from: 1 },
        Migration { version: 2, name: "marks", sql: marks, compatible_from: 1 },
        Migration { version: 3, name: "commands", sql: commands, compatible_from: 1 },
        Migration { version: 6, name: "usage", sql: usage, compatible_from: 1 },
    ]
}

impl Migration {
    /// Returns the SHA-256 of the step's text in hexadecimal digits.
    pub(super) fn checksum(&self) -> String {
        checksum_of(self.sql)
    }
}

fn checksum_of(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases hold the checksums of released steps. Another way to compute them would refuse those databases.
    #[test]
    fn a_checksum_is_the_sha256_of_a_step_in_hexadecimal() {
        assert_eq!(
            checksum_of("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
