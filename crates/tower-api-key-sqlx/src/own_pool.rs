//! The store's own pool.
//!
//! sqlx's pool pings the server when a connection comes back, so a lookup keeps its connection for two round
//! trips. This pool takes back a connection whose last query ended well, and asks nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::{sleep, timeout};

use super::driver::{Answer, Connection, Driver, Pool};
use super::loan::{Loan, Terms};
use super::settings::{IDLE, LIFETIME, Settings};
use super::slot::{GivingBack, Slot};
use tower_api_key::store::StoreError;

/// The first and the longest pause before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The longest time between two looks at connections that were idle for too long.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long a server is told goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// Opens connections, and says which are too old.
pub(super) struct Dialer<D: Driver> {
    options: Options<D>,
    max_lifetime: Duration,
    idle_timeout: Duration,
    began: Instant,
    /// Connections that were opened before are not used again; in nanoseconds since the pool began.
    trusted_from: AtomicU64,
}

type Options<D> = <<D as sqlx::Database>::Connection as sqlx::Connection>::Options;

/// A pool of connections that the store opens itself.
pub(super) struct OwnPool<D: Driver> {
    pool: managed::Pool<Dialer<D>>,
    terms: Terms,
}

impl<D: Driver> OwnPool<D> {
    /// Returns a pool that connects when a connection is needed.
    pub(super) fn new(
        options: Options<D>,
        settings: &Settings,
        size: u32,
    ) -> Result<Self, StoreError> {
        let dialer = Dialer {
            options,
            max_lifetime: settings.max_lifetime.unwrap_or(LIFETIME),
            idle_timeout: settings.idle_timeout.unwrap_or(IDLE),
            began: Instant::now(),
            trusted_from: AtomicU64::new(0),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // The last one used is used next, so those that are not needed become idle.
        let pool = managed::Pool::builder(dialer).max_size(size).queue_mode(QueueMode::Lifo);
        let pool = pool.build().map_err(StoreError::new)?;
        Ok(Self { pool, terms: Terms::new(settings) })
    }

    /// Returns how connections are opened.
    pub(super) fn options(&self) -> &Options<D> {
        &self.pool.manager().options
    }

    /// Closes connections that were idle for too long, until the pool is dropped.
    pub(super) fn close_idle_ones(&self) {
        let idle = self.pool.manager().idle_timeout;
        let every = LOOK_EVERY.min(idle).max(Duration::from_millis(10));
        let pool = self.pool.weak();
        tokio::spawn(async move {
            loop {
                sleep(every).await;
                let Some(pool) = pool.upgrade() else { return };
                let dialer = pool.manager();
                let old = pool.retain(|_, metrics| !dialer.is_too_old(&metrics));
                farewell::<D>(old.removed).await;
            }
        });
    }
}

impl<D: Driver> Dialer<D> {
    fn is_too_old(&self, metrics: &Metrics) -> bool {
        metrics.age() >= self.max_lifetime || metrics.last_used() >= self.idle_timeout
    }

    /// Returns an instant in nanoseconds since the pool began.
    fn nanoseconds(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.began);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn trusts(&self, metrics: &Metrics) -> bool {
        self.nanoseconds(metrics.created) >= self.trusted_from.load(Ordering::Relaxed)
    }
}

impl<D: Driver> managed::Manager for Dialer<D> {
    type Type = D::Connection;
    type Error = sqlx::Error;

    /// Connects. A server that starts, or has too many connections, is asked again: the caller has a timeout.
    async fn create(&self) -> Result<D::Connection, sqlx::Error> {
        let mut pause = PAUSE;
        loop {
            match self.options.connect().await {
                Err(error) if may_pass(&error) => {}
                connected => return connected,
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn recycle(
        &self,
        _: &mut D::Connection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if self.is_too_old(metrics) {
            return Err(RecycleError::message("too old"));
        }
        if !self.trusts(metrics) {
            return Err(RecycleError::message("of another server, perhaps"));
        }
        Ok(())
    }
}

/// Returns true if the same attempt to connect may succeed soon.
fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        // Codes: too many connections; the server starts or stops.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["53300", "57P03"].contains(&&*code))
        }
        _ => false,
    }
}

/// Closes connections in the way that a server expects.
async fn farewell<D: Driver>(connections: Vec<D::Connection>) {
    for connection in connections {
        let _ = timeout(FAREWELL, connection.close()).await;
    }
}

impl<D: Driver> Pool for OwnPool<D> {
    fn acquire(&self) -> Answer<'_, Box<dyn Connection>> {
        Box::pin(async move {
            match self.pool.get().await {
                Ok(object) => {
                    Ok(Box::new(Loan::new(Box::new(object), self.terms)) as Box<dyn Connection>)
                }
                Err(PoolError::Backend(error)) => Err(error),
                Err(PoolError::Closed) => Err(sqlx::Error::PoolClosed),
                Err(_) => Err(sqlx::Error::PoolTimedOut),
            }
        })
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(async move { self.options().connect().await?.close().await })
    }

    fn distrust_idle(&self) {
        drop(self.pool.retain(|_, _| false));
    }

    fn distrust_all(&self) {
        let dialer = self.pool.manager();
        let now = dialer.nanoseconds(Instant::now());
        dialer.trusted_from.fetch_max(now, Ordering::Relaxed);
        self.distrust_idle();
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let idle = self.pool.retain(|_, _| false);
            self.pool.close();
            farewell::<D>(idle.removed).await;
            while self.pool.status().size > 0 {
                sleep(PAUSE).await;
            }
        })
    }

    fn has_room(&self) -> bool {
        let status = self.pool.status();
        status.available > 0 || status.size < status.max_size
    }

    fn size(&self) -> u32 {
        u32::try_from(self.pool.status().max_size).unwrap_or(u32::MAX)
    }
}

/// A place in the store's own pool.
impl<D: Driver> Slot<D> for Object<Dialer<D>> {
    fn connection(&mut self) -> &mut D::Connection {
        self
    }

    fn give_back(self: Box<Self>, _: Duration) -> Option<GivingBack> {
        None
    }

    fn close(self: Box<Self>) {
        drop(Object::take(*self));
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use super::*;
    use crate::SqlStore;
    use crate::plan::postgres::Postgres;
    use crate::statement::Statement;

    /// Names the server's process behind a connection.
    async fn process(connection: &mut dyn Connection) -> i64 {
        let sql = "SELECT CAST(pg_backend_pid() AS BIGINT) AS process";
        let rows = connection.fetch(Statement::from(sql)).await.unwrap();
        rows[0].number("process").unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_connection_that_was_in_use_when_it_was_distrusted_is_not_used_again() {
        let Some(server) = Postgres::start() else { return };
        let store = SqlStore::connect(server.url()).await.unwrap();
        for distrusts in [false, true, false] {
            let mut connection = store.pool.acquire().await.unwrap();
            let before = process(&mut *connection).await;
            if distrusts {
                store.pool.distrust_all();
            }
            assert_eq!(process(&mut *connection).await, before, "it ends what it began");
            drop(connection);
            let mut connection = store.pool.acquire().await.unwrap();
            assert_eq!(process(&mut *connection).await == before, !distrusts);
        }
    }
}
