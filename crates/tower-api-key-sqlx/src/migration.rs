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

/// The texts of a step: for SQLite and for PostgreSQL.
macro_rules! texts {
    ($name:literal) => {
        [
            include_str!(concat!("../migrations/", $name, ".sqlite.sql")),
            include_str!(concat!("../migrations/", $name, ".postgres.sql")),
        ]
    };
}

/// Returns all steps, the oldest first.
pub(super) fn steps(dialect: Dialect) -> Vec<Migration> {
    let step = |version, name, sql: [&'static str; 2]| {
        let [sqlite, postgres] = sql;
        let sql = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        Migration { version, name, sql, compatible_from: 1 }
    };
    vec![
        step(1, "tables", texts!("0001_tables")),
        step(2, "marks", texts!("0002_marks")),
        step(3, "commands", texts!("0003_commands")),
        step(4, "peppers", texts!("0004_peppers")),
        step(5, "lists", texts!("0005_lists")),
        step(6, "usage", texts!("0006_usage")),
        // An older program writes no events for its changes.
        step(7, "events", texts!("0007_events")),
        // An older program does not check policies.
        step(8, "policies", texts!("0008_policies")),
        step(9, "fills", texts!("0009_fills")),
        step(10, "pages", texts!("0010_pages")),
        // An older program issues keys without tails.
        step(11, "tails", texts!("0011_tails")),
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
