//! A pool for tests, which does something before each step of its connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sqlx::SqlStr;

use crate::SqlStore;
use crate::driver::{Answer, Connection, CopyParts, EachRow, Pool, Row};
use crate::statement::Statement;

/// A step of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchedStep {
    Begin,
    Fetch,
    FetchEach,
    Execute,
    Copy,
    Commit,
    /// After the database has committed, and before its answer arrives.
    Committed,
}

/// What a test does at each step.
pub(crate) trait Watcher: Clone + Send + Sync + 'static {
    fn at(&self, step: WatchedStep) -> impl Future<Output = ()> + Send;
}

pub(crate) struct WatchedPool<W> {
    pool: Arc<dyn Pool>,
    watcher: W,
}

struct WatchedConnection<W> {
    connection: Box<dyn Connection>,
    watcher: W,
}

impl<W: Watcher> WatchedPool<W> {
    /// Puts itself between a store and its pool.
    pub(crate) fn put_into(store: &mut SqlStore, watcher: W) {
        store.pool = Arc::new(Self { pool: Arc::clone(&store.pool), watcher });
    }
}

impl<W: Watcher> Pool for WatchedPool<W> {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async move {
            let (connection, watcher) = (self.pool.acquire().await?, self.watcher.clone());
            Ok(Box::new(WatchedConnection { connection, watcher }) as Box<dyn Connection>)
        })
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.pool.probe()
    }

    fn distrust_idle(&self) {
        self.pool.distrust_idle();
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pool.close()
    }

    fn has_room(&self) -> bool {
        self.pool.has_room()
    }

    fn size(&self) -> u32 {
        self.pool.size()
    }
}

impl<W: Watcher> Connection for WatchedConnection<W> {
    fn fetch(&mut self, statement: Statement) -> Answer<'_, Vec<Row>> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::Fetch).await;
            self.connection.fetch(statement).await
        })
    }

    fn fetch_each(&mut self, statement: Statement, each: EachRow) -> Answer<'_, ()> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::FetchEach).await;
            self.connection.fetch_each(statement, each).await
        })
    }

    fn execute(&mut self, statement: Statement) -> Answer<'_, u64> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::Execute).await;
            self.connection.execute(statement).await
        })
    }

    fn copy<'a>(&'a mut self, into: SqlStr, rows: CopyParts<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::Copy).await;
            self.connection.copy(into, rows).await
        })
    }

    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()> {
        self.connection.script(sql)
    }

    fn begin(&mut self, statement: SqlStr) -> Answer<'_, ()> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::Begin).await;
            self.connection.begin(statement).await
        })
    }

    fn commit(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.watcher.at(WatchedStep::Commit).await;
            self.connection.commit().await?;
            self.watcher.at(WatchedStep::Committed).await;
            Ok(())
        })
    }

    fn roll_back(&mut self) -> Answer<'_, ()> {
        self.connection.roll_back()
    }

    fn distrust(&mut self) {
        self.connection.distrust();
    }
}
