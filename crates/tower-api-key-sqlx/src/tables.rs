//! The names of the store's tables, which may share a database with an application's tables.

use super::dialect::Dialect;
use super::failure::Failure;
use tower_api_key::store::StoreError;

/// The default prefix of the table names.
pub(super) const PREFIX: &str = "tower_api_key_";

/// The longest prefix: with the longest name after it, an identifier fits PostgreSQL's 63 bytes.
const LONGEST_PREFIX: usize = 40;
const LONGEST_SCHEMA: usize = 63;

/// The tables, by the last part of their names.
pub(super) const TABLES: [&str; 20] = [
    "accounts",
    "keys",
    "secrets",
    "changes",
    "migrations",
    "requests",
    "tags",
    "fills",
    "events",
    "event_occasions",
    "event_sinks",
    "event_deliveries",
    "event_leases",
    "usage",
    "usage_accounts",
    "usage_months",
    "usage_keys",
    "usage_writers",
    "policies",
    "recorded_uses",
];

/// Names the tables of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) prefix: String,
    /// The PostgreSQL schema; without it, the connection's `search_path` applies.
    pub(super) schema: Option<String>,
}

impl Tables {
    /// Returns an error if the prefix or the schema is not valid.
    pub(super) fn check(&self, dialect: Dialect) -> Result<(), StoreError> {
        let wrong = |what| Err(StoreError::new(Failure::Setting(what)));
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let fine = |byte: u8| letter(byte) || byte.is_ascii_digit();
        let prefix = self.prefix.as_bytes();
        if !prefix.first().copied().is_some_and(letter)
            || prefix.len() > LONGEST_PREFIX
            || !prefix.iter().copied().all(fine)
            || self.prefix.starts_with("sqlite_")
        {
            return wrong(
                "`prefix` must have 1 to 40 lower-case letters, digits and underscores, and must not begin \
                 with a digit or `sqlite_`",
            );
        }
        match &self.schema {
            Some(_) if dialect == Dialect::Sqlite => {
                wrong("SQLite has no schemas: set `prefix` instead of `schema`")
            }
            Some(schema) if schema.is_empty() || schema.len() > LONGEST_SCHEMA => {
                wrong("`schema` must have 1 to 63 bytes")
            }
            Some(schema) if schema.contains(char::is_control) => {
                wrong("`schema` must have no control characters")
            }
            _ => Ok(()),
        }
    }

    /// Returns the bare name of a table.
    pub(super) fn bare(&self, table: &str) -> String {
        format!("{}{table}", self.prefix)
    }

    /// Replaces `{keys}` and the like with table names, and `{prefix}` with the bare prefix, for index names. `{schema}`
    /// becomes what stands before the name of an index that is dropped.
    pub(super) fn fill(&self, text: &str) -> String {
        let schema = self.schema.as_deref().map_or_else(String::new, |schema| quote(schema) + ".");
        let filled = text.replace("{prefix}", &self.prefix).replace("{schema}", &schema);
        TABLES.iter().fold(filled, |text, table| {
            let name = format!("{schema}{}", quote(&self.bare(table)));
            text.replace(&format!("{{{table}}}"), &name)
        })
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self { prefix: PREFIX.to_owned(), schema: None }
    }
}

/// Quotes an identifier.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_quoted() {
        let tables = |prefix: &str, schema: Option<&str>| Tables {
            prefix: prefix.to_owned(),
            schema: schema.map(str::to_owned),
        };
        let filled = tables("a_", Some("my \"keys"))
            .fill("SELECT * FROM {keys}, {changes} {prefix}x; DROP INDEX {schema}i");
        assert_eq!(
            filled,
            "SELECT * FROM \"my \"\"keys\".\"a_keys\", \"my \"\"keys\".\"a_changes\" a_x; DROP INDEX \"my \"\"keys\".i"
        );
        assert_eq!(Tables::default().fill("{secrets}"), "\"tower_api_key_secrets\"");
        for (prefix, fine) in [
            ("tower_api_key_", true),
            ("a", true),
            ("_9", true),
            ("", false),
            ("9a", false),
            ("A_", false),
            ("a-b", false),
            ("a\"", false),
            ("sqlite_", false),
            (&"x".repeat(40), true),
            (&"x".repeat(41), false),
        ] {
            assert_eq!(tables(prefix, None).check(Dialect::Sqlite).is_ok(), fine, "{prefix}");
        }
        for (schema, fine) in [
            ("keys", true),
            ("my \"keys", true),
            ("", false),
            ("a\nb", false),
            (&"x".repeat(63), true),
            (&"x".repeat(64), false),
            (&"é".repeat(32), false),
        ] {
            let tables = tables("a_", Some(schema));
            assert_eq!(tables.check(Dialect::Postgres).is_ok(), fine, "{schema}");
            assert!(tables.check(Dialect::Sqlite).is_err(), "{schema}");
        }
        for (schema, fine) in [("keys", true), ("My keys", true), ("", false), ("a\0", false)] {
            let tables = tables("a_", Some(schema));
            assert_eq!(tables.check(Dialect::Postgres).is_ok(), fine, "{schema:?}");
            assert!(tables.check(Dialect::Sqlite).is_err());
        }
    }
}
