//! Takes over the tables of the first release. They had the plain names `accounts`, `keys`, `secrets` and
//! `changes`, and up to two rows in sqlx's table of migrations.
//!
//! An application may have tables of these names. So the tables are taken over only if those rows and every
//! column are as the first release left them. Other tables are not touched.

use sha2::{Digest, Sha384};

use super::dialect::Dialect;
use super::failure::Failure;
use super::row;
use super::session::Session;
use super::statement::Statement;
use super::tables::{Tables, quote};
use tower_api_key::store::StoreError;

const PLANS: &str = include_str!("../migrations/unprefixed/0002_plans.sql");

/// The name of a column, its type, and whether it is NOT NULL.
type Column = (&'static str, Kind, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Bytes,
    Sequence,
}

/// The columns of the tables, without the plan of an account, which was added later.
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

/// The indexes with their tables. Those of primary keys have no columns here.
const INDEXES: [(&str, &str, Option<&str>); 6] = [
    ("keys_of_account", "keys", Some("(account, id)")),
    ("secrets_of_key", "secrets", Some("(key_id)")),
    ("accounts_pkey", "accounts", None),
    ("keys_pkey", "keys", None),
    ("secrets_pkey", "secrets", None),
    ("changes_pkey", "changes", None),
];

/// Takes over the tables of the first release. Returns false if there are none.
pub(super) async fn take_over(
    session: &mut Session,
    dialect: Dialect,
    tables: &Tables,
) -> Result<bool, StoreError> {
    let Some(old) = schema(session, dialect).await? else { return Ok(false) };
    let Some(checksums) = own_rows(session, dialect, &old).await? else { return Ok(false) };
    let has_plans = checksums.len() > 1;
    for (table, columns) in COLUMNS {
        let mut expected: Vec<_> =
            columns.iter().map(|column| as_reported(*column, dialect)).collect();
        if table == "accounts" && has_plans {
            expected.push(as_reported(("plan", Kind::Text, false), dialect));
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

/// Renames the indexes of the tables. The first release created no index if the name was taken, perhaps by
/// the application. That index stays, and the table gets an index of its own.
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
            // SQLite cannot rename an index.
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

/// Returns the schema of the old tables as a prefix for their names: the first of the `search_path`.
async fn schema(session: &mut Session, dialect: Dialect) -> Result<Option<String>, StoreError> {
    if dialect == Dialect::Sqlite {
        return Ok(Some(String::new()));
    }
    let rows = session.fetch("SELECT current_schema()::text AS name".into()).await?;
    let name = rows.first().and_then(|row| row.text("name").ok().flatten());
    Ok(name.map(|name| format!("{}.", quote(&name))))
}

/// Returns version and checksum of the rows of the first release; `None` if it never used this database.
async fn own_rows(
    session: &mut Session,
    dialect: Dialect,
    old: &str,
) -> Result<Option<Vec<(i64, Vec<u8>)>>, StoreError> {
    let there = match dialect {
        Dialect::Sqlite => Statement::from(
            "SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = $1",
        ),
        // If this role may not read the table, the table belongs to an application.
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

/// Returns the columns of a table as the database reports them.
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

fn as_reported((name, kind, required): Column, dialect: Dialect) -> (String, String, bool) {
    let sqlite = dialect == Dialect::Sqlite;
    let type_name = match kind {
        Kind::Text if sqlite => "TEXT",
        Kind::Text => "text",
        Kind::Number if sqlite => "BIGINT",
        Kind::Bytes if sqlite => "BLOB",
        Kind::Bytes => "bytea",
        Kind::Sequence if sqlite => "INTEGER",
        Kind::Number | Kind::Sequence => "bigint",
    };
    // SQLite does not report a row number as NOT NULL.
    let required = required && !(sqlite && kind == Kind::Sequence);
    (name.to_owned(), type_name.to_owned(), required)
}
