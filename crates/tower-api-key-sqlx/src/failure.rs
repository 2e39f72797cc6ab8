//! The errors of a database. Their texts never quote a row.

use std::io;
use std::time::Duration;

use tower_api_key::store::StoreError;

/// Why a database failed, and the remedy. No text repeats a URL, because a URL may hold a password.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(all(feature = "sqlite", feature = "postgres")), allow(dead_code))]
pub(super) enum Failure {
    #[error(
        "the URL names no supported database: write sqlite:FILE or postgres://USER@HOST/DATABASE, and \
         enable the feature `sqlite` or `postgres`"
    )]
    UnknownUrl,
    /// The name of the parameter, if no part of a password can look like it, and else an empty text.
    #[error(
        "the PostgreSQL URL has an unknown parameter{0}: correct its name, or remove it; if it is a part of the \
         password, write `?`, `#` and `&` of the password as %3F, %23 and %26"
    )]
    UnknownParameter(String),
    #[error(
        "the URL names no file: write sqlite:FILE, or sqlite::memory: for a database that ends with the \
         process"
    )]
    NoPath,
    #[error(
        "the SQLite file does not exist: check its path; to create the file, run a command that creates \
         (such as `migrate`), add `?mode=rwc` to the path, or set `create_if_missing`"
    )]
    NoFile,
    #[error(
        "the SQLite file cannot be created ({0}): check that its directory exists and is writable"
    )]
    NotCreated(#[source] io::Error),
    #[error(
        "the database cannot be reached, connection refused: check that it runs, and check host and port \
         of its URL"
    )]
    Refused(#[source] io::Error),
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    #[error("the connection to the database was lost: {0}")]
    Lost(#[source] io::Error),
    #[error(
        "the database did not answer within {0:?}: check the load of the database and the network"
    )]
    NoAnswer(Duration),
    #[error(
        "none of {size} connections was free within {limit:?}: allow more (`max_connections`), or wait \
         longer (`lookup_timeout`)"
    )]
    NoneFree { size: u32, limit: Duration },
    /// The database's message and code. PostgreSQL's detail is left out: it quotes the row, which may hold a
    /// digest, and logs must not hold digests.
    #[error("{message}{}{}", code_of(.code.as_deref()), remedy(.code.as_deref()))]
    Database { message: String, code: Option<String> },
    #[error("{0}")]
    Setting(&'static str),
    #[error(
        "the database has a table `{0}` that this program did not create: choose another prefix for its \
         tables (`prefix`), or in PostgreSQL another schema (`schema`)"
    )]
    TableTaken(String),
    #[error(
        "the tables were created by a newer release (step {found}, this program knows step {known}): \
         update the program"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "the trail of changes is empty though there are keys: change any key or account, which begins a new trail, or \
         grant SELECT on the sequence of the trail's table to this role"
    )]
    EmptyTrail,
    #[error(
        "step {0} of the tables differs from the one that this program knows, because the tables were changed \
         or created by an unpublished release: restore a backup, or use the program that created them"
    )]
    OtherStep(i64),
    #[error(
        "an earlier release created tables here, but `{0}` was changed since, so no table is touched. If \
         the tables hold keys, undo the change; if not, delete the rows of version 1 and 2 from \
         `_sqlx_migrations`. Then connect again"
    )]
    OldTableChanged(&'static str),
    #[error(
        "the data of the standby server may be older than {0:?}: check its replication, or allow more \
         (`max_lag`)"
    )]
    Behind(Duration),
    #[error(
        "the standby server cannot prove how old its data is: set `listen_url` to the URL of its primary \
         server, and check its replication"
    )]
    Unproven,
    #[error(transparent)]
    Other(#[from] sqlx::Error),
}

fn code_of(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" (code {code})"))
}

/// Returns the remedy for an error code, or an empty text if none is certain.
fn remedy(code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "28P01" | "28000" => ": check user and password, and that the server admits them",
        "3D000" => ": create that database, or check its name",
        "42501" => {
            ": grant it to the role; a gate needs SELECT, changes need INSERT, UPDATE and DELETE, and \
             creating the tables needs CREATE"
        }
        "42P01" => {
            ": connect once as a role that may create the tables, with the same prefix and schema"
        }
        "42P07" | "42710" => {
            ": choose another prefix for the store's tables (`prefix`), or in PostgreSQL a schema \
             (`schema`)"
        }
        "53300" => {
            ": lower the connections of this store (`max_connections`), or raise the server's"
        }
        // The server is PgBouncer, or several sessions of it share one of the server.
        "08P01" | "42P05" | "26000" => {
            ": if a pooler in transaction mode stands before the database, say so (`behind_pooler`, or \
             `?pgbouncer=true` in the URL)"
        }
        "55P03" => ": end the long transaction that reads or writes the tables, and connect again",
        "25006" => ": connect to a primary server, with a session that may write",
        "5" | "261" | "517" => ": another process wrote for too long; try again",
        "8" | "1032" | "1544" => ": check that the file and its directory are writable",
        "14" => ": check that the file is readable and its directory writable",
        _ => "",
    }
}

/// Converts an error of a statement to the store's.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::new(match error {
        sqlx::Error::Database(error) => reported(&*error),
        sqlx::Error::Io(error) => Failure::Lost(error),
        other => Failure::Other(other),
    })
}

/// Converts an error of connecting to the store's.
pub(super) fn unreachable(error: &sqlx::Error) -> StoreError {
    StoreError::new(match error {
        sqlx::Error::Database(error) => reported(&**error),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Failure::Refused(copy(error))
        }
        sqlx::Error::Io(error) => Failure::Unreachable(copy(error)),
        other => Failure::Unreachable(io::Error::other(other.to_string())),
    })
}

fn reported(error: &dyn sqlx::error::DatabaseError) -> Failure {
    Failure::Database {
        message: error.message().to_owned(),
        code: error.code().map(std::borrow::Cow::into_owned),
    }
}

fn copy(error: &io::Error) -> io::Error {
    let known = error.raw_os_error().map(io::Error::from_raw_os_error);
    known.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()))
}

/// Returns true if the connection broke: it was lost, or the server ended it.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Codes 57P (operator intervention): the server shuts down, starts, or ended the session.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Returns true if a standby server ended a query, because replication needed what the query read.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "40001")
}

/// Returns true if another process held SQLite's lock.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["5", "6", "261", "517"].contains(&&*code))
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::SqlStore;
    use crate::plan::postgres::Postgres;
    use crate::statement::Statement;

    #[tokio::test]
    async fn an_error_quotes_no_row() {
        let Some(server) = Postgres::start() else { return };
        let store = SqlStore::connect(server.url()).await.unwrap();
        let row = format!("decode('{}', 'hex')", "a7".repeat(32));
        let secret =
            format!("INSERT INTO tower_api_key_secrets VALUES ({row}, 'k', 0, NULL, NULL)");
        let mut connection = store.pool.acquire().await.unwrap();
        for sql in [
            "INSERT INTO tower_api_key_accounts VALUES ('acme', 0, '[]', NULL)".to_owned(),
            "INSERT INTO tower_api_key_keys VALUES ('k', 'acme', NULL, NULL, NULL, '', '', NULL, \
             '[]', NULL, '{}', NULL, NULL, 0, 0, 0)"
                .to_owned(),
            secret.clone(),
        ] {
            connection.execute(Statement::made(sql)).await.unwrap();
        }
        let refused = connection.execute(Statement::made(secret)).await.unwrap_err();
        assert!(format!("{refused:?}").contains("a7a7"), "the detail would: {refused:?}");
        let error = failed(refused);
        let told = format!("{error:?} {error} {}", error.source().unwrap());
        assert!(told.contains("secrets_pkey") && told.contains("23505"), "{told}");
        assert!(!told.contains("a7a7"), "{told}");
    }
}
