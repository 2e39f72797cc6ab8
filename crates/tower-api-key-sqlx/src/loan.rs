//! Connections on loan from a pool of sqlx's, and when they go back to it.
//!
//! sqlx takes back every connection, whatever became of its last query: it asks the server for a sign of
//! life, without a limit, and keeps the connection's place in the pool until one comes. Of a
//! connection that fell silent none ever comes. So one whose last query did not end well is never given
//! back, and the sign of life of the others is waited for so long and no longer. SQLite always answers, and
//! a database in memory ends with its last connection: there what may have been begun is taken back.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection as _, SqlSafeStr, SqlStr};
use tokio::runtime::Handle;

use super::driver::{Answer, Connection, Driver, Pool, Row};
use super::failure::is_broken;
use super::statement::Statement;

/// A pool of connections to one kind of database.
pub(super) struct Lender<D: Driver> {
    pub(super) pool: sqlx::Pool<D>,
    /// How long a connection's sign of life is waited for.
    patience: Duration,
    /// What has to be there for as long as the pool is.
    _anchor: Option<Box<dyn Any + Send + Sync>>,
    /// Whether it is an application's own, which is not this store's to close.
    handed_in: bool,
}

/// A connection on loan.
struct Loan<D: Driver> {
    connection: Option<PoolConnection<D>>,
    /// Whether the last query ended well.
    ready: bool,
    /// Whether a transaction was begun, and not ended.
    open: bool,
    /// Whether this is the attempt to take back what was begun, of which there is one.
    ending: bool,
    patience: Duration,
}

impl<D: Driver> Lender<D> {
    pub(super) const fn new(pool: sqlx::Pool<D>, patience: Duration) -> Self {
        Self { pool, patience, _anchor: None, handed_in: false }
    }

    /// Lends connections of an application's own pool.
    pub(super) const fn handed_in(pool: sqlx::Pool<D>, patience: Duration) -> Self {
        Self { pool, patience, _anchor: None, handed_in: true }
    }

    /// Keeps something for as long as the pool is there.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(super) fn anchored(self, anchor: Option<Box<dyn Any + Send + Sync>>) -> Self {
        Self { _anchor: anchor, ..self }
    }
}

impl<D: Driver> Pool for Lender<D> {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async move {
            let connection = if self.handed_in && !D::REMOTE {
                // An application's pool asks an idle one for a sign of life first, and closes it if who
                // waits for it goes meanwhile: on a task of its own nobody does.
                let pool = self.pool.clone();
                let acquiring = tokio::spawn(async move { pool.acquire().await });
                acquiring.await.map_err(|_| sqlx::Error::PoolClosed)??
            } else {
                self.pool.acquire().await?
            };
            let connection = Some(connection);
            // What is on this machine always answers.
            let patience = if D::REMOTE { self.patience } else { Duration::MAX };
            let loan = Loan { connection, ready: true, open: false, ending: false, patience };
            Ok(Box::new(loan) as Box<dyn Connection>)
        })
    }

    fn probe(&self) -> Answer<'_, ()> {
        let options = self.pool.connect_options();
        Box::pin(async move { options.connect().await?.close().await })
    }

    fn distrust_idle(&self) {
        if D::REMOTE {
            while let Some(idle) = self.pool.try_acquire() {
                drop(idle.detach());
            }
        }
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if self.handed_in {
            return Box::pin(std::future::ready(()));
        }
        Box::pin(self.pool.close())
    }

    fn has_room(&self) -> bool {
        self.pool.num_idle() > 0 || self.pool.size() < Pool::size(self)
    }

    fn size(&self) -> u32 {
        self.pool.options().get_max_connections()
    }
}

impl<D: Driver> Loan<D> {
    /// Runs a query. Until it has ended well, this connection is not to be given back.
    async fn ask<T>(
        &mut self,
        query: impl for<'c> FnOnce(&'c mut D::Connection) -> Answer<'c, T> + Send,
    ) -> Result<T, sqlx::Error> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        self.ready = false;
        let answer = query(connection).await;
        self.ready = match &answer {
            Ok(_) => true,
            // The database said no, and is ready for the next query.
            Err(error @ sqlx::Error::Database(_)) => !is_broken(error),
            Err(_) => false,
        };
        answer
    }

    /// Takes a connection over whose last query may not have ended.
    const fn ending(connection: PoolConnection<D>, patience: Duration) -> Self {
        Self { connection: Some(connection), ready: false, open: true, ending: true, patience }
    }

    /// Takes back what may have been begun.
    async fn roll_back(&mut self) {
        let ended = self.ask(|it| D::script(it, "ROLLBACK".into_sql_str())).await;
        self.open = false;
        // SQLite refuses it where nothing was begun, and is well.
        self.ready &= ended.is_ok() || !D::REMOTE;
    }
}

impl<D: Driver> Connection for Loan<D> {
    fn fetch(&mut self, statement: Statement) -> Answer<'_, Vec<Row>> {
        Box::pin(self.ask(|connection| D::fetch(connection, statement)))
    }

    fn execute(&mut self, statement: Statement) -> Answer<'_, u64> {
        Box::pin(self.ask(|connection| D::execute(connection, statement)))
    }

    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()> {
        Box::pin(self.ask(|connection| D::script(connection, sql)))
    }

    fn begin(&mut self, statement: &'static str) -> Answer<'_, ()> {
        Box::pin(async move {
            self.ask(|connection| D::script(connection, statement.into_sql_str())).await?;
            self.open = true;
            Ok(())
        })
    }

    fn commit(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.ask(|connection| D::script(connection, "COMMIT".into_sql_str())).await?;
            self.open = false;
            Ok(())
        })
    }
}

impl<D: Driver> Drop for Loan<D> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let patience = self.patience;
        match Handle::try_current() {
            // What was begun is taken back; if that does not end well, the connection is closed. One of
            // SQLite's is not closed before, for a database in memory ends with its last connection: an
            // application's whole database, for a client that hung up.
            Ok(runtime) if !self.ending && if self.ready { self.open } else { !D::REMOTE } => {
                let mut loan = Self::ending(connection, patience);
                runtime.spawn(async move {
                    let _ = tokio::time::timeout(patience, loan.roll_back()).await;
                });
            }
            Ok(runtime) if self.ready => {
                // Dropped before it has ended, this closes the connection, and gives its place back.
                // It has room for a connection that is made anew, so it is moved once, and not often.
                let returned = Box::pin(connection.return_to_pool());
                runtime.spawn(async move { tokio::time::timeout(patience, returned).await });
            }
            _ => drop(connection.detach()),
        }
    }
}
