//! Lends connections of a sqlx pool, and decides when they return to it.
//!
//! sqlx takes back every connection, even if its last query failed. It pings the server without a timeout, and
//! the connection counts against the pool's size until the ping is answered. A dead connection never answers.
//! So a connection whose last query did not end well is closed instead of returned, and the ping of the others
//! has a timeout.
//!
//! A query that its caller abandoned runs to its end first, because a new connection costs several round trips.
//! An abandoned transaction is not waited for: its connection is closed, from its beginning to its commit.
//!
//! SQLite always answers, and a database in memory ends with its last connection. So its connections are not
//! closed: their open transaction is rolled back.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection as _, SqlSafeStr, SqlStr};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::driver::{Answer, Connection, CopyParts, Driver, EachRow, Pool, Row};
use super::failure::is_broken;
use super::inline::inline;
use super::settings::Settings;
use super::slot::Slot;
use super::statement::Statement;

/// A pool of connections to one kind of database.
pub(super) struct Lender<D: Driver> {
    pub(super) pool: sqlx::Pool<D>,
    terms: Terms,
    /// A value that must live as long as the pool.
    _anchor: Option<Box<dyn Any + Send + Sync>>,
    /// Whether the pool is the application's, so that the store must not close it.
    handed_in: bool,
}

/// How a pool treats its connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How long a connection that comes back may take to be ready.
    pub(super) patience: Duration,
    /// The limit of a lookup, if a pooler stands before the server.
    pub(super) behind_pooler: Option<Duration>,
}

/// A connection on loan.
pub(super) struct Loan<D: Driver> {
    slot: Option<Box<dyn Slot<D>>>,
    last: Last,
    /// Whether a transaction may be open.
    open: bool,
    /// Whether this loan is the only attempt to roll back.
    ending: bool,
    terms: Terms,
}

impl Terms {
    /// Returns the terms that the settings ask for.
    pub(super) fn new(settings: &Settings) -> Self {
        let limit = settings.lookup_timeout;
        let patience = settings.pool_timeout();
        Self { patience, behind_pooler: settings.behind_pooler.then_some(limit) }
    }
}

/// How the last query ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The connection is ready for another query.
    Ready,
    /// The answer is not complete. If the loan is dropped now, its caller has abandoned the query.
    Asked,
    /// The connection is broken or silent.
    Broken,
}

impl Last {
    fn after<T>(answer: &Result<T, sqlx::Error>) -> Self {
        match answer {
            Ok(_) => Self::Ready,
            // The database refused the query and is ready for the next.
            Err(error @ sqlx::Error::Database(_)) if !is_broken(error) => Self::Ready,
            Err(_) => Self::Broken,
        }
    }
}

impl<D: Driver> Lender<D> {
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(super) const fn new(pool: sqlx::Pool<D>, terms: Terms) -> Self {
        Self { pool, terms, _anchor: None, handed_in: false }
    }

    /// Returns a lender over a pool of the application.
    pub(super) const fn handed_in(pool: sqlx::Pool<D>, terms: Terms) -> Self {
        Self { pool, terms, _anchor: None, handed_in: true }
    }

    /// Keeps a value as long as the pool.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(super) fn anchored(self, anchor: Option<Box<dyn Any + Send + Sync>>) -> Self {
        Self { _anchor: anchor, ..self }
    }
}

impl<D: Driver> Pool for Lender<D> {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async move {
            let connection = if self.handed_in && !D::REMOTE {
                // An application's pool pings an idle connection first, and closes it if the caller is
                // dropped meanwhile. A task of its own is not dropped.
                let pool = self.pool.clone();
                let acquiring = tokio::spawn(async move { pool.acquire().await });
                acquiring.await.map_err(|_| sqlx::Error::PoolClosed)??
            } else {
                self.pool.acquire().await?
            };
            // A database on this machine always answers.
            let patience = if D::REMOTE { self.terms.patience } else { Duration::MAX };
            let terms = Terms { patience, ..self.terms };
            Ok(Box::new(Loan::new(Box::new(connection), terms)) as Box<dyn Connection>)
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
    pub(super) fn new(slot: Box<dyn Slot<D>>, terms: Terms) -> Self {
        Self { slot: Some(slot), last: Last::Ready, open: false, ending: false, terms }
    }

    /// Returns the statement with its values, if a pooler stands before the server. A transaction has the
    /// limit of its beginning.
    fn text(&self, statement: &Statement) -> Option<SqlStr> {
        let limit = self.terms.behind_pooler?;
        Some(inline(statement, (!self.open).then_some(limit)))
    }

    /// Runs a query. The connection may return to its pool only if the query ends well.
    async fn ask<T>(
        &mut self,
        query: impl for<'c> FnOnce(&'c mut D::Connection) -> Answer<'c, T> + Send,
    ) -> Result<T, sqlx::Error> {
        let slot = self.slot.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        self.last = Last::Asked;
        let answer = query(slot.connection()).await;
        self.last = Last::after(&answer);
        answer
    }

    /// Returns a loan that ends what the last one began; the connection's last query may still run.
    fn ending(slot: Box<dyn Slot<D>>, terms: Terms) -> Self {
        Self { slot: Some(slot), last: Last::Asked, open: true, ending: true, terms }
    }

    /// Rolls back an open transaction.
    async fn end_open(&mut self) {
        let ended = self.ask(|it| D::script(it, "ROLLBACK".into_sql_str())).await;
        self.open = false;
        // SQLite refuses a rollback without a transaction, and stays usable.
        if ended.is_err() && D::REMOTE {
            self.last = Last::Broken;
        }
    }

    /// Waits for the end of an abandoned query, and drops its answer.
    async fn settle(&mut self) {
        self.open = false;
        let _ = self.ask(|it| Box::pin(it.ping())).await;
    }
}

impl<D: Driver> Connection for Loan<D> {
    fn fetch(&mut self, statement: Statement) -> Answer<'_, Vec<Row>> {
        match self.text(&statement) {
            Some(text) => Box::pin(self.ask(|connection| D::fetch_text(connection, text))),
            None => Box::pin(self.ask(|connection| D::fetch(connection, statement))),
        }
    }

    fn fetch_each(&mut self, statement: Statement, each: EachRow) -> Answer<'_, ()> {
        match self.text(&statement) {
            Some(text) => {
                Box::pin(self.ask(|connection| D::fetch_each_text(connection, text, each)))
            }
            None => Box::pin(self.ask(|connection| D::fetch_each(connection, statement, each))),
        }
    }

    fn execute(&mut self, statement: Statement) -> Answer<'_, u64> {
        match self.text(&statement) {
            Some(text) => Box::pin(self.ask(|connection| D::execute_text(connection, text))),
            None => Box::pin(self.ask(|connection| D::execute(connection, statement))),
        }
    }

    fn copy<'a>(&'a mut self, into: SqlStr, rows: CopyParts<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let slot = self.slot.as_mut().ok_or(sqlx::Error::PoolClosed)?;
            self.last = Last::Asked;
            let answer = D::copy(slot.connection(), into, rows).await;
            self.last = Last::after(&answer);
            answer
        })
    }

    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()> {
        Box::pin(self.ask(|connection| D::script(connection, sql)))
    }

    fn begin(&mut self, statement: SqlStr) -> Answer<'_, ()> {
        Box::pin(async move {
            // Before the answer: who hangs up meanwhile, or is refused in the middle, may leave a transaction.
            self.open = true;
            self.ask(|connection| D::script(connection, statement)).await
        })
    }

    fn commit(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.ask(|connection| D::script(connection, "COMMIT".into_sql_str())).await?;
            self.open = false;
            Ok(())
        })
    }

    fn roll_back(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.ask(|connection| D::script(connection, "ROLLBACK".into_sql_str())).await?;
            self.open = false;
            Ok(())
        })
    }

    fn distrust(&mut self) {
        self.last = Last::Broken;
    }
}

impl<D: Driver> Drop for Loan<D> {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let (terms, patience) = (self.terms, self.terms.patience);
        let Ok(runtime) = Handle::try_current() else { return slot.close() };
        match self.last {
            // Rolls back, and closes the connection if that fails. A SQLite connection is not closed
            // at once: if a client hung up, that could end an application's whole database in memory.
            last if !self.ending && if last == Last::Ready { self.open } else { !D::REMOTE } => {
                let mut loan = Self::ending(slot, terms);
                runtime.spawn(async move {
                    let _ = timeout(patience, loan.end_open()).await;
                });
            }
            Last::Ready => {
                if let Some(giving_back) = slot.give_back(patience) {
                    runtime.spawn(giving_back);
                }
            }
            Last::Asked if !self.ending && !self.open => {
                let mut loan = Self::ending(slot, terms);
                runtime.spawn(async move {
                    let _ = timeout(patience, loan.settle()).await;
                });
            }
            _ => slot.close(),
        }
    }
}
