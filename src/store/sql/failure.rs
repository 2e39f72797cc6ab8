//! A database that fails, or does not answer in time; told without the rows it was about.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::super::error::StoreError;

/// A database's own words and its code. PostgreSQL's error has a detail besides, which quotes the row:
/// a digest, perhaps, that nobody is to read in a log.
#[derive(Debug)]
struct Told {
    message: String,
    code: Option<String>,
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(formatter, " (code {code})"))
    }
}

impl std::error::Error for Told {}

/// Turns what a database says into what an operator is told.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => StoreError::new(Told {
            message: error.message().to_owned(),
            code: error.code().map(Into::into),
        }),
        other => StoreError::new(other),
    }
}

/// Waits for a database so long and no longer.
pub(super) async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer.map_err(failed),
        Err(elapsed) => Err(StoreError::new(elapsed)),
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use std::error::Error;

    use sqlx::AssertSqlSafe;

    use super::super::plan::postgres::Postgres;
    use super::*;
    use crate::store::SqlStore;

    #[tokio::test]
    async fn an_error_quotes_no_row() {
        let Some(server) = Postgres::start() else { return };
        let store = SqlStore::connect(server.url()).await.unwrap();
        let row = format!("decode('{}', 'hex')", "a7".repeat(32));
        for sql in [
            "INSERT INTO accounts VALUES ('acme', 0, '[]', NULL)".to_owned(),
            "INSERT INTO keys VALUES ('k', 'acme', NULL, NULL, NULL, '', '', NULL, '[]', NULL, \
             '{}', NULL, NULL, 0, 0, 0)"
                .to_owned(),
            format!("INSERT INTO secrets VALUES ({row}, 'k', 0, NULL, NULL)"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&store.pool).await.unwrap();
        }
        let again = format!("INSERT INTO secrets VALUES ({row}, 'k', 0, NULL, NULL)");
        let refused = sqlx::query(AssertSqlSafe(again)).execute(&store.pool).await.unwrap_err();
        assert!(format!("{refused:?}").contains("a7a7"), "the detail would: {refused:?}");
        let error = failed(refused);
        let told = format!("{error:?} {error} {}", error.source().unwrap());
        assert!(told.contains("secrets_pkey") && told.contains("23505"), "{told}");
        assert!(!told.contains("a7a7"), "{told}");
    }
}
