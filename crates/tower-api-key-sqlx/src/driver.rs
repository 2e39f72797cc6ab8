//! The interface of both databases: connections that run statements, and rows with columns.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use sqlx::SqlStr;

use super::statement::Statement;

/// A future of a database's answer.
pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'a>>;

/// A row of either database.
pub(super) type Row = Box<dyn Columns>;

/// Receives the rows of an answer one by one, so that the whole answer is never in memory.
pub(super) type EachRow = Box<dyn FnMut(&dyn Columns) + Send>;

/// The parts of rows that are copied, in PostgreSQL's binary format. The server takes one while the next is written.
pub(super) type CopyParts<'a> = Box<dyn Iterator<Item = Vec<u8>> + Send + 'a>;

/// Reads the columns of a row by their names.
pub(super) trait Columns: Send + Sync {
    fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

/// Opens connections and keeps idle ones.
pub(super) trait Pool: Any + Send + Sync {
    /// Waits for a connection, idle or new.
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>>;

    /// Opens and closes a connection outside of the pool, to learn why the pool cannot.
    fn probe(&self) -> Answer<'_, ()>;

    /// Closes all idle connections, if this database is remote: they may be dead without a notice.
    fn distrust_idle(&self);

    /// Closes all idle connections, and those in use when they come back, if this pool can: they may lead to
    /// another server than new ones.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    fn distrust_all(&self) {
        self.distrust_idle();
    }

    /// Waits until the connections in use are returned, and closes all.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Returns true if a connection is idle or another may be opened.
    fn has_room(&self) -> bool;

    /// Returns the most connections of the pool.
    fn size(&self) -> u32;
}

/// Runs statements. If its last statement did not end well, a dropped connection is closed, which rolls back
/// its transaction. Otherwise it returns to its pool.
pub(super) trait Connection: Send {
    /// Runs a statement and returns its rows.
    fn fetch(&mut self, statement: Statement) -> Answer<'_, Vec<Row>>;

    /// Runs a statement and passes on each of its rows.
    fn fetch_each(&mut self, statement: Statement, each: EachRow) -> Answer<'_, ()>;

    /// Runs a statement and returns how many rows it touched.
    fn execute(&mut self, statement: Statement) -> Answer<'_, u64>;

    /// Copies rows into a table, and returns how many.
    fn copy<'a>(&'a mut self, into: SqlStr, rows: CopyParts<'a>) -> Answer<'a, u64>;

    /// Runs several statements without values.
    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()>;

    /// Begins a transaction. Dropping the connection rolls it back.
    fn begin(&mut self, statement: SqlStr) -> Answer<'_, ()>;

    fn commit(&mut self) -> Answer<'_, ()>;

    /// Takes back all of the transaction, and leaves the connection ready for another.
    fn roll_back(&mut self) -> Answer<'_, ()>;

    /// Closes the connection when it is dropped: it did not answer in time.
    fn distrust(&mut self);
}

/// A database as sqlx knows it.
pub(super) trait Driver: sqlx::Database {
    /// Whether connections can die without a notice, as over a network.
    const REMOTE: bool;

    fn fetch(connection: &mut Self::Connection, statement: Statement) -> Answer<'_, Vec<Row>>;
    fn fetch_each(
        connection: &mut Self::Connection,
        statement: Statement,
        each: EachRow,
    ) -> Answer<'_, ()>;
    fn execute(connection: &mut Self::Connection, statement: Statement) -> Answer<'_, u64>;
    fn script(connection: &mut Self::Connection, sql: SqlStr) -> Answer<'_, ()>;

    /// Copies rows into a table, and returns how many.
    fn copy<'a>(_: &'a mut Self::Connection, _: SqlStr, _: CopyParts<'a>) -> Answer<'a, u64> {
        Box::pin(std::future::ready(Err(sqlx::Error::Protocol("this database has no COPY".into()))))
    }

    /// Runs statements that hold their values, and returns their rows.
    fn fetch_text(connection: &mut Self::Connection, sql: SqlStr) -> Answer<'_, Vec<Row>>;

    /// Runs statements that hold their values, and passes on each of their rows.
    fn fetch_each_text(
        connection: &mut Self::Connection,
        sql: SqlStr,
        each: EachRow,
    ) -> Answer<'_, ()>;

    /// Runs statements that hold their values, and returns how many rows they touched.
    fn execute_text(connection: &mut Self::Connection, sql: SqlStr) -> Answer<'_, u64>;
}

/// Implements [`Driver`] and [`Columns`] for one database: sqlx's traits do not allow a generic implementation.
macro_rules! driver {
    ($database:ty, $row:ty, remote: $remote:literal $(, $own:item)?) => {
        use futures_util::TryStreamExt as _;

        impl $crate::driver::Driver for $database {
            const REMOTE: bool = $remote;

            $($own)?

            fn fetch(
                connection: &mut Self::Connection,
                statement: $crate::statement::Statement,
            ) -> $crate::driver::Answer<'_, Vec<$crate::driver::Row>> {
                Box::pin(async move {
                    let rows = query(statement).fetch_all(connection).await?;
                    Ok(rows.into_iter().map(|row| Box::new(row) as _).collect())
                })
            }

            fn fetch_each(
                connection: &mut Self::Connection,
                statement: $crate::statement::Statement,
                mut each: $crate::driver::EachRow,
            ) -> $crate::driver::Answer<'_, ()> {
                Box::pin(async move {
                    let rows = query(statement).fetch(connection);
                    rows.try_for_each(|row| std::future::ready(Ok(each(&row)))).await
                })
            }

            fn execute(
                connection: &mut Self::Connection,
                statement: $crate::statement::Statement,
            ) -> $crate::driver::Answer<'_, u64> {
                Box::pin(
                    async move { Ok(query(statement).execute(connection).await?.rows_affected()) },
                )
            }

            fn script(
                connection: &mut Self::Connection,
                sql: sqlx::SqlStr,
            ) -> $crate::driver::Answer<'_, ()> {
                Box::pin(async move { sqlx::raw_sql(sql).execute(connection).await.map(|_| ()) })
            }

            fn fetch_text(
                connection: &mut Self::Connection,
                sql: sqlx::SqlStr,
            ) -> $crate::driver::Answer<'_, Vec<$crate::driver::Row>> {
                Box::pin(async move {
                    let rows = sqlx::raw_sql(sql).fetch_all(connection).await?;
                    Ok(rows.into_iter().map(|row| Box::new(row) as _).collect())
                })
            }

            fn fetch_each_text(
                connection: &mut Self::Connection,
                sql: sqlx::SqlStr,
                mut each: $crate::driver::EachRow,
            ) -> $crate::driver::Answer<'_, ()> {
                Box::pin(async move {
                    let rows = sqlx::raw_sql(sql).fetch(connection);
                    rows.try_for_each(|row| std::future::ready(Ok(each(&row)))).await
                })
            }

            fn execute_text(
                connection: &mut Self::Connection,
                sql: sqlx::SqlStr,
            ) -> $crate::driver::Answer<'_, u64> {
                Box::pin(async move {
                    Ok(sqlx::raw_sql(sql).execute(connection).await?.rows_affected())
                })
            }
        }

        fn query(
            statement: $crate::statement::Statement,
        ) -> sqlx::query::Query<'static, $database, <$database as sqlx::Database>::Arguments> {
            use $crate::statement::Value;
            let query = sqlx::query(statement.sql).persistent(!statement.is_planned_anew);
            statement.values.into_iter().fold(query, |query, value| match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            })
        }

        impl $crate::driver::Columns for $row {
            fn text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }

            fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }

            fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }
        }
    };
}

pub(super) use driver;
