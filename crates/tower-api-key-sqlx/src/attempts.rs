//! Tests how often a broken connection is replaced, and how often the cause of an outage is looked for.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::SqlStr;
use sqlx::error::{DatabaseError, ErrorKind};
use tokio::time::Instant;

use super::SqlStore;
use super::deadline::after;
use super::dialect::Dialect;
use super::driver::{Answer, Connection, CopyParts, EachRow, Pool, Row};
use super::failure::{Failure, is_broken, is_locked, unreachable};
use super::group_queries::GroupQueries;
use super::outage::Outage;
use super::query::Queries;
use super::settings::Settings;
use super::statement::Statement;
use super::tables::Tables;
use tower_api_key::clock::SystemClock;
use tower_api_key::store::{Retention, StoreError};

/// A database error with this code.
#[derive(Debug)]
struct Code(&'static str);

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no")
    }
}

impl Error for Code {}

impl DatabaseError for Code {
    fn message(&self) -> &'static str {
        "no"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.0))
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

fn code(code: &'static str) -> sqlx::Error {
    sqlx::Error::Database(Box::new(Code(code)))
}

fn lost() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::ConnectionReset.into())
}

fn refused() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into())
}

type Fails = fn() -> sqlx::Error;

/// A pool that cannot connect, or whose connections fail at their first statement.
#[derive(Clone)]
struct Broken {
    acquire: Option<Fails>,
    statement: Fails,
    probe: Arc<Mutex<Option<Fails>>>,
    acquired: Arc<AtomicU32>,
    probed: Arc<AtomicU32>,
    distrusted: Arc<AtomicU32>,
}

impl Broken {
    fn new(acquire: Option<Fails>, statement: Fails) -> Self {
        let (probe, probed) = (Arc::default(), Arc::default());
        let (acquired, distrusted) = (Arc::default(), Arc::default());
        Self { acquire, statement, probe, acquired, probed, distrusted }
    }

    fn store(&self) -> SqlStore {
        let tables = Tables::default();
        let queries = Queries::new(&tables);
        SqlStore {
            pool: Arc::new(self.clone()),
            dialect: Dialect::Postgres,
            groups: Arc::new(GroupQueries::new(&queries.find)),
            lookups: Arc::default(),
            queries: Arc::new(queries),
            events: Arc::new(crate::events::EventQueries::new(&tables)),
            tables: Arc::new(tables),
            clock: Arc::new(SystemClock),
            settings: Settings::default(),
            outage: Arc::new(Outage::default()),
            retention: Retention::default(),
            listen_url: None,
            #[cfg(feature = "postgres")]
            freshness: None,
        }
    }

    /// Returns how often a connection was acquired, and how often the idle ones were closed.
    fn counts(&self) -> (u32, u32) {
        (self.acquired.load(Ordering::Relaxed), self.distrusted.load(Ordering::Relaxed))
    }
}

impl Pool for Broken {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        self.acquired.fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(match self.acquire {
            Some(fails) => Err(fails()),
            None => Ok(Box::new(self.clone()) as Box<dyn Connection>),
        }))
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.probed.fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(self.probe.lock().unwrap().map_or(Ok(()), |fails| Err(fails()))))
    }

    fn distrust_idle(&self) {
        self.distrusted.fetch_add(1, Ordering::Relaxed);
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn has_room(&self) -> bool {
        false
    }

    fn size(&self) -> u32 {
        7
    }
}

impl Connection for Broken {
    fn fetch(&mut self, _: Statement) -> Answer<'_, Vec<Row>> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn fetch_each(&mut self, _: Statement, _: EachRow) -> Answer<'_, ()> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn execute(&mut self, _: Statement) -> Answer<'_, u64> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn copy<'a>(&'a mut self, _: SqlStr, _: CopyParts<'a>) -> Answer<'a, u64> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn script(&mut self, _: SqlStr) -> Answer<'_, ()> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn begin(&mut self, _: SqlStr) -> Answer<'_, ()> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn commit(&mut self) -> Answer<'_, ()> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn roll_back(&mut self) -> Answer<'_, ()> {
        Box::pin(ready(Err((self.statement)())))
    }

    fn distrust(&mut self) {}
}

fn told(error: &StoreError) -> String {
    error.source().unwrap().to_string()
}

/// After a restart every connection of the pool is broken.
#[tokio::test]
async fn what_changes_nothing_yet_is_tried_on_twelve_connections() {
    for (fails, tries) in [(lost as Fails, 12), (|| code("57P01"), 12), (|| code("23505"), 1)] {
        let pool = Broken::new(None, fails);
        let read = pool.store().read(Statement::from("SELECT 1")).await;
        assert!(read.is_err());
        assert_eq!(pool.counts(), (tries, tries - 1), "{:?}", fails());
        let pool = Broken::new(None, fails);
        assert!(pool.store().transaction().await.is_err());
        assert_eq!(pool.counts(), (tries, tries - 1), "{:?}", fails());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_is_tried_again_after_a_pause() {
    let limit = Duration::from_secs(8);
    // The last second is kept to find the cause.
    for (fails, tries, cause) in [
        (refused as Fails, 12, "connection refused"),
        (lost, 12, "cannot be reached"),
        (|| code("23505"), 1, "no (code 23505)"),
        (|| code("5"), 700, "none of 7 connections was free within 8s"),
        (|| sqlx::Error::PoolTimedOut, 700, "none of 7 connections was free within 8s"),
    ] {
        let (pool, began) = (Broken::new(Some(fails), lost), Instant::now());
        let error = pool.store().acquire(limit, after(limit)).await.err().unwrap();
        assert!(told(&error).contains(cause), "{}", told(&error));
        assert_eq!(pool.counts().0, tries, "{cause}");
        let pauses = Duration::from_millis(10) * (tries - 1);
        assert_eq!(began.elapsed(), pauses, "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_found_out_once_a_second_why_there_is_no_connection() {
    let (pool, outage) = (Broken::new(None, lost), Outage::default());
    let cause = async || {
        let limit = Duration::from_secs(1);
        told(&outage.cause(&pool, limit, after(limit)).await)
    };
    assert!(cause().await.contains("none of 7 connections"));
    *pool.probe.lock().unwrap() = Some(refused);
    for (milliseconds, probed) in [(0, 1), (1_000, 1), (1, 2), (1_000, 2), (1, 3)] {
        tokio::time::advance(Duration::from_millis(milliseconds)).await;
        let expected = if probed == 1 { "none of 7 connections" } else { "connection refused" };
        assert!(cause().await.contains(expected));
        assert_eq!(pool.probed.load(Ordering::Relaxed), probed);
    }
}

#[test]
fn an_error_tells_whether_its_connection_can_go_on() {
    for (error, broken, locked) in [
        (lost(), true, false),
        (sqlx::Error::Protocol("no answer".to_owned()), true, false),
        (sqlx::Error::WorkerCrashed, true, false),
        (code("57P01"), true, false),
        (code("57P03"), true, false),
        (code("57014"), false, false),
        (code("23505"), false, false),
        (code("5"), false, true),
        (code("6"), false, true),
        (code("261"), false, true),
        (code("517"), false, true),
        (code("8"), false, false),
        (sqlx::Error::PoolTimedOut, false, false),
        (sqlx::Error::RowNotFound, false, false),
    ] {
        assert_eq!((is_broken(&error), is_locked(&error)), (broken, locked), "{error:?}");
    }
}

#[test]
fn an_operator_is_told_what_helps() {
    for (codes, remedy) in [
        (&["28P01", "28000"][..], "check user and password"),
        (&["3D000"], "create that database"),
        (&["42501"], "grant it to the role"),
        (&["42P01"], "connect once as a role that may create the tables"),
        (&["53300"], "lower the connections of this store"),
        (&["55P03"], "end the long transaction"),
        (&["25006"], "connect to a primary server"),
        (&["5", "261", "517"], "another process wrote for too long"),
        (&["8", "1032", "1544"], "check that the file and its directory are writable"),
        (&["14"], "check that the file is readable"),
    ] {
        for name in codes {
            let error = told(&unreachable(&code(name)));
            assert!(error.starts_with(&format!("no (code {name}): {remedy}")), "{error}");
        }
    }
    assert_eq!(told(&unreachable(&code("23505"))), "no (code 23505)");
    let bare = Failure::Database { message: "no".to_owned(), code: None };
    assert_eq!(bare.to_string(), "no");
    assert!(told(&unreachable(&refused())).contains("connection refused"));
    assert!(told(&unreachable(&lost())).starts_with("the database cannot be reached:"));
}
