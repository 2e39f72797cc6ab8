//! A pool that ends its process at a statement.

use std::future::Future;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::SqlStr;

use crate::SqlStore;
use crate::driver::{Answer, Connection, EachRow, Pool, Row};
use crate::statement::Statement;

/// The place at which this process ends.
#[derive(Clone)]
pub(crate) struct StopAt {
    left: Arc<AtomicI64>,
    /// Whether statements that return rows count: some of them write, too.
    counts_reads: bool,
}

impl StopAt {
    /// Ends at the write with this number, from 0.
    pub(crate) fn write(number: i64) -> Self {
        Self { left: Arc::new(AtomicI64::new(number)), counts_reads: false }
    }

    /// Ends at the statement with this number, from 0.
    pub(crate) fn statement(number: i64) -> Self {
        Self { counts_reads: true, ..Self::write(number) }
    }

    pub(crate) fn never() -> Self {
        Self::write(i64::MAX)
    }

    /// Ends the process without any tidying up, as `kill -9` does.
    pub(crate) fn pass(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            process::abort();
        }
    }

    fn pass_read(&self) {
        if self.counts_reads {
            self.pass();
        }
    }
}

pub(crate) struct StoppingPool {
    pool: Arc<dyn Pool>,
    stop: StopAt,
}

impl StoppingPool {
    /// Puts itself between a store and its pool.
    pub(crate) fn put_into(store: &mut SqlStore, stop: &StopAt) {
        store.pool = Arc::new(Self { pool: Arc::clone(&store.pool), stop: stop.clone() });
    }
}

struct StoppingConnection {
    connection: Box<dyn Connection>,
    stop: StopAt,
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
        self.stop.pass_read();
        self.connection.fetch(statement)
    }

    fn fetch_each(&mut self, statement: Statement, each: EachRow) -> Answer<'_, ()> {
        self.stop.pass_read();
        self.connection.fetch_each(statement, each)
    }

    fn execute(&mut self, statement: Statement) -> Answer<'_, u64> {
        self.stop.pass();
        self.connection.execute(statement)
    }

    fn copy(&mut self, into: SqlStr, rows: Vec<u8>) -> Answer<'_, u64> {
        self.stop.pass();
        self.connection.copy(into, rows)
    }

    fn script(&mut self, sql: SqlStr) -> Answer<'_, ()> {
        self.connection.script(sql)
    }

    fn begin(&mut self, statement: SqlStr) -> Answer<'_, ()> {
        self.stop.pass_read();
        self.connection.begin(statement)
    }

    fn roll_back(&mut self) -> Answer<'_, ()> {
        self.connection.roll_back()
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
