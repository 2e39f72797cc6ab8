//! A database that fails, or does not answer in time; told without the rows it was about.

use std::io;
use std::time::Duration;

use tower_api_key::store::StoreError;

/// Says why a database did not do what it was asked, and what helps. No URL is repeated, for it may have
/// a password in it.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
pub(super) enum Failure {
    #[error(
        "the URL is of no database that this program speaks: write sqlite:FILE or postgres://…, with \
         the feature `sqlite` or `postgres` switched on"
    )]
    UnknownUrl,
    #[error(
        "the URL names no file: write sqlite:FILE, or sqlite::memory: for keys that end with it"
    )]
    NoPath,
    #[error(
        "the SQLite file is not there: see that its path is right; it is made only on demand, by a command \
         that creates, by `?mode=rwc` behind the path, or by `create_if_missing`"
    )]
    NoFile,
    #[error(
        "the SQLite file cannot be made ({0}): see that its folder is there, and may be written to"
    )]
    NotCreated(#[source] io::Error),
    #[error(
        "the database cannot be reached, connection refused: see that it runs, and that host and port \
         of its URL are right"
    )]
    Refused(#[source] io::Error),
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    #[error("the connection to the database was lost: {0}")]
    Lost(#[source] io::Error),
    #[error("the database did not answer within {0:?}: it is overloaded, or the network is")]
    NoAnswer(Duration),
    #[error(
        "none of {size} connections was free within {limit:?}: allow more (`max_connections`), or wait \
         for longer (`lookup_timeout`)"
    )]
    NoneFree { size: u32, limit: Duration },
    /// A database's own words and its code. PostgreSQL's error has a detail besides, which quotes the
    /// row: a digest, perhaps, that nobody is to read in a log.
    #[error("{message}{}{}", code_of(.code.as_deref()), remedy(.code.as_deref()))]
    Told { message: String, code: Option<String> },
    #[error("{0}")]
    Setting(&'static str),
    #[error(
        "the database has a table `{0}` already that this program did not make: choose another prefix \
         for its own (`prefix`), or in PostgreSQL a schema (`schema`)"
    )]
    TableTaken(String),
    #[error(
        "the tables are of a newer release than this program (step {found}, and it knows {known}): \
         update the program"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "step {0} of the tables was another than this program knows: they were changed, or made by a \
         release that was never published"
    )]
    OtherStep(i64),
    #[error(
        "an earlier release has made tables here, but `{0}` is not as it was made; all are left as they \
         are. If keys are in them, put it right; if not, delete the rows of version 1 and 2 from \
         `_sqlx_migrations`; then connect again"
    )]
    OldTableChanged(&'static str),
    #[error(transparent)]
    Other(#[from] sqlx::Error),
}

fn code_of(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" (code {code})"))
}

/// Says what helps against an error of this code, if anything does for sure.
fn remedy(code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "28P01" | "28000" => {
            ": see that user and password are right, and that the server admits them"
        }
        "3D000" => ": create that database, or see that its name is right",
        "42501" => {
            ": grant it to the role; a gate needs SELECT, changes need INSERT, UPDATE and DELETE, and \
             making the tables needs CREATE"
        }
        "42P01" => {
            ": connect once as a role that may make the tables, with the same prefix and schema"
        }
        "42P07" | "42710" => {
            ": choose another prefix for the store's tables (`prefix`), or in PostgreSQL a schema \
             (`schema`)"
        }
        "53300" => ": allow this store fewer connections (`max_connections`), or the server more",
        "25006" => ": changes need a primary server, and a session that may write",
        "5" | "261" | "517" => ": another process has been writing for too long",
        "8" | "1032" | "1544" => ": see that the file and its folder may be written to",
        "14" => ": see that the file may be read, and its folder written to",
        _ => "",
    }
}

/// Turns what a database says into what an operator is told.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::new(match error {
        sqlx::Error::Database(error) => told(&*error),
        sqlx::Error::Io(error) => Failure::Lost(error),
        other => Failure::Other(other),
    })
}

/// Does the same for what a connection that was to be made met with.
pub(super) fn unreachable(error: &sqlx::Error) -> StoreError {
    StoreError::new(match error {
        sqlx::Error::Database(error) => told(&**error),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Failure::Refused(copy(error))
        }
        sqlx::Error::Io(error) => Failure::Unreachable(copy(error)),
        other => Failure::Unreachable(io::Error::other(other.to_string())),
    })
}

fn told(error: &dyn sqlx::error::DatabaseError) -> Failure {
    Failure::Told {
        message: error.message().to_owned(),
        code: error.code().map(std::borrow::Cow::into_owned),
    }
}

fn copy(error: &io::Error) -> io::Error {
    let known = error.raw_os_error().map(io::Error::from_raw_os_error);
    known.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()))
}

/// Tells whether a connection broke: it was lost, or the server ended it.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Class 57, operator intervention: the server is shutting down, or starting.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// Tells whether another process of SQLite's was in the way for a moment.
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
