//! A process that ends at a write, as if it was killed.

use std::future::Future;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::SqlStr;

use crate::driver::{Answer, Connection, EachRow, Pool, Row};
use crate::statement::Statement;

/// The writes until this process ends.
#[derive(Clone)]
pub(super) struct WritesLeft(Arc<AtomicI64>);

impl WritesLeft {
    pub(super) fn new(writes: i64) -> Self {
        Self(Arc::new(AtomicI64::new(writes)))
    }

    /// Ends the process without any tidying up, as `kill -9` does.
    pub(super) fn pass(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 0 {
            process::abort();
        }
    }
}

/// A pool whose process ends at a write.
pub(super) struct StoppingPool {
    pool: Arc<dyn Pool>,
    stop: WritesLeft,
}

struct StoppingConnection {
    connection: Box<dyn Connection>,
    stop: WritesLeft,
}

impl StoppingPool {
    pub(super) fn new(pool: Arc<dyn Pool>, stop: WritesLeft) -> Self {
        Self { pool, stop }
    }
}

impl Pool for StoppingPool {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async move {
            let (connection, stop) = (self.pool.acquire().await?, self.stop.clone());
            Ok(Box::new(StoppingConnection { connection, stop }) as Box<dyn Connection>)
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

impl Connection for StoppingConnection {
    fn fetch(&mut self, statement: Statement) -> Answer<'_, Vec<Row>> {
        self.connection.fetch(statement)
    }

    fn fetch_each(&mut self, statement: Statement, each: EachRow) -> Answer<'_, ()> {
        self.connection.fetch_each(statement, each)
    }

    fn execute(&mut self, statement: Statement) -> Answer<'_, u64> {
        self.stop.pass();
        self.connection.execute(statement)
    }

    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()> {
        self.connection.script(sql)
    }

    fn begin(&mut self, statement: SqlStr) -> Answer<'_, ()> {
        self.connection.begin(statement)
    }

    fn commit(&mut self) -> Answer<'_, ()> {
        self.stop.pass();
        Box::pin(async move {
            self.connection.commit().await?;
            self.stop.pass();
            Ok(())
        })
    }

    fn distrust(&mut self) {
        self.connection.distrust();
    }
}
