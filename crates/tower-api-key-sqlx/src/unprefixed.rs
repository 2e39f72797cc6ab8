//! The tables of the first release, which had the plain names `accounts`, `keys`, `secrets` and
//! `changes`, and two rows in sqlx's own table of migrations.
//!
//! An application may have tables of these names. So they are taken over only if both those rows and
//! every column are as the first release left them; anything else is not touched.

use sha2::{Digest, Sha384};

use super::dialect::Dialect;
use super::failure::Failure;
use super::row;
use super::session::Session;
use super::statement::Statement;
use super::tables::{Tables, quote};
use tower_api_key::store::StoreError;

const PLANS: &str = include_str!("../migrations/unprefixed/0002_plans.sql");

/// What a column holds, and whether it always does.
type Column = (&'static str, Kind, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Bytes,
    Sequence,
}

/// The columns of the tables, but for the plan of an account, which came last.
const COLUMNS: [(&str, &[Column]); 4] = [
    (
        "accounts",
        &[
            ("id", Kind::Text, true),
            ("disabled", Kind::Number, true),
            ("scopes", Kind::Text, true),
            ("quotas", Kind::Text, false),
        ],
    ),
    (
        "keys",
        &[
            ("id", Kind::Text, true),
            ("account", Kind::Text, true),
            ("owner", Kind::Text, false),
            ("kind", Kind::Text, false),
            ("environment", Kind::Text, false),
            ("name", Kind::Text, true),
            ("description", Kind::Text, true),
            ("scopes", Kind::Text, false),
            ("networks", Kind::Text, true),
            ("quotas", Kind::Text, false),
            ("metadata", Kind::Text, true),
            ("not_before", Kind::Number, false),
            ("expires", Kind::Number, false),
            ("disabled", Kind::Number, true),
            ("revoked", Kind::Number, true),
            ("created", Kind::Number, true),
        ],
    ),
    (
        "secrets",
        &[
            ("digest", Kind::Bytes, true),
            ("key_id", Kind::Text, true),
            ("created", Kind::Number, true),
            ("expires", Kind::Number, false),
            ("last_used", Kind::Number, false),
        ],
    ),
    (
        "changes",
        &[
            ("sequence", Kind::Sequence, true),
            ("at", Kind::Number, true),
            ("author", Kind::Text, true),
            ("action", Kind::Text, true),
            ("key_id", Kind::Text, false),
            ("account", Kind::Text, true),
        ],
    ),
];

/// The indexes, each with its table, and the columns of those that a table does not come with.
const INDEXES: [(&str, &str, Option<&str>); 6] = [
    ("keys_of_account", "keys", Some("(account, id)")),
    ("secrets_of_key", "secrets", Some("(key_id)")),
    ("accounts_pkey", "accounts", None),
    ("keys_pkey", "keys", None),
    ("secrets_pkey", "secrets", None),
    ("changes_pkey", "changes", None),
];

/// Takes over the tables of the first release, if they are there; tells whether they were.
pub(super) async fn take_over(
    session: &mut Session,
    dialect: Dialect,
    tables: &Tables,
) -> Result<bool, StoreError> {
    let Some(old) = schema(session, dialect).await? else { return Ok(false) };
    let Some(checksums) = own_rows(session, dialect, &old).await? else { return Ok(false) };
    let has_plans = checksums.len() > 1;
    for (table, columns) in COLUMNS {
        let mut expected: Vec<_> = columns.iter().map(|column| told(*column, dialect)).collect();
        if table == "accounts" && has_plans {
            expected.push(told(("plan", Kind::Text, false), dialect));
        }
        if columns_of(session, dialect, &old, table).await? != expected {
            return Err(StoreError::new(Failure::OldTableChanged(table)));
        }
    }
    if !has_plans {
        session.script(PLANS.replace("TABLE accounts", &format!("TABLE {old}accounts"))).await?;
    }
    let text = match dialect {
        Dialect::Sqlite => include_str!("../migrations/unprefixed/move.sqlite.sql"),
        Dialect::Postgres => include_str!("../migrations/unprefixed/move.postgres.sql"),
    };
    session.script(tables.fill(&text.replace("{old}", &old))).await?;
    take_indexes(session, dialect, tables, &old).await?;
    if let Some(schema) = &tables.schema {
        for (table, _) in COLUMNS {
            let (name, schema) = (quote(&tables.bare(table)), quote(schema));
            if format!("{schema}.") != old {
                session.script(format!("ALTER TABLE {old}{name} SET SCHEMA {schema}")).await?;
            }
        }
    }
    for (version, checksum) in checksums {
        let sql = format!("DELETE FROM {old}_sqlx_migrations WHERE version = $1 AND checksum = $2");
        session.execute(Statement::made(sql).bind(version).bind(checksum)).await?;
    }
    Ok(true)
}

/// Gives the indexes of the tables their own names, too. The first release made none where there was one
/// of the same name, which may be an application's: that stays, and the table gets its own.
async fn take_indexes(
    session: &mut Session,
    dialect: Dialect,
    tables: &Tables,
    old: &str,
) -> Result<(), StoreError> {
    for (index, table, columns) in INDEXES {
        let (bare, new) = (tables.bare(table), quote(&tables.bare(index)));
        let place = format!("{old}{}", quote(&bare));
        let asked = match dialect {
            Dialect::Sqlite => Statement::from(
                "SELECT 1 AS found FROM sqlite_master WHERE type = 'index' AND name = $1 \
                 AND tbl_name = $2",
            )
            .bind(index)
            .bind(bare),
            Dialect::Postgres => Statement::from(
                "SELECT CAST(1 AS BIGINT) AS found FROM pg_index \
                 WHERE indexrelid = to_regclass($1) AND indrelid = to_regclass($2)",
            )
            .bind(format!("{old}{index}"))
            .bind(place.as_str()),
        };
        let own = !session.fetch(asked).await?.is_empty();
        let made = columns.map(|columns| format!("CREATE INDEX {new} ON {place} {columns}"));
        let sql = match (dialect, made) {
            (Dialect::Postgres, _) if own => format!("ALTER INDEX {old}{index} RENAME TO {new}"),
            // SQLite gives an index no other name.
            (Dialect::Sqlite, Some(made)) if own => format!("DROP INDEX {index}; {made}"),
            (_, Some(made)) => made,
            (_, None) => continue,
        };
        session.script(sql).await?;
    }
    if dialect == Dialect::Postgres {
        let (changes, sequence) = (quote(&tables.bare("changes")), "changes_sequence_seq");
        let asked = Statement::from(
            "SELECT CAST(1 AS BIGINT) AS found \
             WHERE to_regclass(pg_get_serial_sequence($1, 'sequence')) = to_regclass($2)",
        );
        let asked = asked.bind(format!("{old}{changes}")).bind(format!("{old}{sequence}"));
        if !session.fetch(asked).await?.is_empty() {
            let new = quote(&tables.bare(sequence));
            session.script(format!("ALTER SEQUENCE {old}{sequence} RENAME TO {new}")).await?;
        }
    }
    Ok(())
}

/// Returns what stands before the names of the old tables: the schema that a connection names first.
async fn schema(session: &mut Session, dialect: Dialect) -> Result<Option<String>, StoreError> {
    if dialect == Dialect::Sqlite {
        return Ok(Some(String::new()));
    }
    let rows = session.fetch("SELECT current_schema()::text AS name".into()).await?;
    let name = rows.first().and_then(|row| row.text("name").ok().flatten());
    Ok(name.map(|name| format!("{}.", quote(&name))))
}

/// Returns the version and checksum of the first release's own rows; none if it never was here.
async fn own_rows(
    session: &mut Session,
    dialect: Dialect,
    old: &str,
) -> Result<Option<Vec<(i64, Vec<u8>)>>, StoreError> {
    let there = match dialect {
        Dialect::Sqlite => Statement::from(
            "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = $1",
        ),
        // An application's may not be for this role to read; then it is not this program's.
        Dialect::Postgres => Statement::from(
            "SELECT CAST(1 AS BIGINT) AS found WHERE has_table_privilege(to_regclass($1), 'SELECT')",
        ),
    };
    if session.fetch(there.bind(format!("{old}_sqlx_migrations"))).await?.is_empty() {
        return Ok(None);
    }
    let keys = match dialect {
        Dialect::Sqlite => include_str!("../migrations/unprefixed/0001_keys.sqlite.sql"),
        Dialect::Postgres => include_str!("../migrations/unprefixed/0001_keys.postgres.sql"),
    };
    let mut own = Vec::new();
    for (version, sql) in [(1i64, keys), (2, PLANS)] {
        let checksum = Sha384::digest(sql.as_bytes()).to_vec();
        let text = format!(
            "SELECT version FROM {old}_sqlx_migrations \
             WHERE version = $1 AND checksum = $2 AND success"
        );
        let asked = Statement::made(text).bind(version).bind(checksum.clone());
        if !session.fetch(asked).await?.is_empty() {
            own.push((version, checksum));
        }
    }
    Ok(own.first().is_some_and(|(version, _)| *version == 1).then_some(own))
}

/// Lists the columns of a table as the database tells them.
async fn columns_of(
    session: &mut Session,
    dialect: Dialect,
    old: &str,
    table: &str,
) -> Result<Vec<(String, String, bool)>, StoreError> {
    let asked = match dialect {
        Dialect::Sqlite => Statement::from(
            "SELECT name, type, \"notnull\" AS required FROM pragma_table_info($1) ORDER BY cid",
        ),
        Dialect::Postgres => Statement::from(
            "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type, \
             CASE WHEN attnotnull THEN CAST(1 AS BIGINT) ELSE 0 END AS required \
             FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 \
             AND NOT attisdropped ORDER BY attnum",
        ),
    };
    let rows = session.fetch(asked.bind(format!("{old}{table}"))).await?;
    let column = |found: &super::driver::Row| {
        Ok((
            row::text(&**found, "name")?,
            row::text(&**found, "type")?,
            row::number(&**found, "required")? != 0,
        ))
    };
    rows.iter().map(column).collect()
}

fn told((name, kind, required): Column, dialect: Dialect) -> (String, String, bool) {
    let sqlite = dialect == Dialect::Sqlite;
    let kind_told = match kind {
        Kind::Text if sqlite => "TEXT",
        Kind::Text => "text",
        Kind::Number if sqlite => "BIGINT",
        Kind::Bytes if sqlite => "BLOB",
        Kind::Bytes => "bytea",
        Kind::Sequence if sqlite => "INTEGER",
        Kind::Number | Kind::Sequence => "bigint",
    };
    // SQLite does not say of it what holds for every row's number.
    let required = required && !(sqlite && kind == Kind::Sequence);
    (name.to_owned(), kind_told.to_owned(), required)
}
