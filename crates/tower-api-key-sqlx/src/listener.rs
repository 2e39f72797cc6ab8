//! A connection on which PostgreSQL sends notices.

use std::future::Future;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, ConnectOptions, Connection, Row};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::deadline::after;
use super::failure::{Failure, failed, unreachable};
use super::notify::{self, CHANNEL, EVENTS};
use tower_api_key::store::{Invalidation, StoreError};

/// The pause between two attempts to close a connection that died silently.
const PAUSE: Duration = Duration::from_secs(2);

/// The most attempts to close a connection that died silently. Without an answer, the system ends it later.
const ATTEMPTS: u32 = 30;

/// The place behind everything that was committed on a primary server. A change is committed when it is
/// flushed; see [`Dialect::begin`](super::dialect::Dialect::begin).
const PLACE: &str = "SELECT \
     CAST(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') AS BIGINT) AS place, \
     (SELECT system_identifier FROM pg_control_system()) AS cluster";

/// A place in the log of a primary server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPlace {
    /// The instant before the server was asked. The place is behind everything that was committed before.
    pub(super) asked: Instant,
    pub(super) place: i64,
    /// The identifier that a primary and its standby servers share.
    pub(super) cluster: i64,
}

/// What PostgreSQL sent.
pub(super) enum Notice {
    Changed(Invalidation),
    /// Events were written.
    Events,
}

/// A connection that listens.
pub(super) struct Listener {
    inner: PgListener,
    /// Whether the connection died without a notice.
    silent: bool,
}

impl Listener {
    /// Listens over a new connection.
    pub(super) async fn connect(
        options: &PgConnectOptions,
        limit: Duration,
    ) -> Result<Self, StoreError> {
        let connected = async {
            // Connects outside of the pool first, because a pool does not say why it cannot.
            options.connect().await?.close().await?;
            let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None);
            let pool = pool.idle_timeout(None).connect_lazy_with(options.clone());
            let mut inner = PgListener::connect_with(&pool).await?;
            // A lost connection must be reported, not replaced silently.
            inner.eager_reconnect(false);
            inner.listen_all([CHANNEL, EVENTS]).await?;
            Ok(Self { inner, silent: false })
        };
        within(limit, connected, |error| unreachable(&error)).await
    }

    /// Waits for a notice.
    pub(super) async fn next(&mut self) -> Result<Notice, StoreError> {
        match self.inner.try_recv().await {
            Ok(Some(received)) if received.channel() == EVENTS => Ok(Notice::Events),
            Ok(Some(received)) => Ok(Notice::Changed(notify::read(received.payload()))),
            Ok(None) => Err(StoreError::new("the connection for notifications was lost")),
            Err(error) => Err(failed(error)),
        }
    }

    /// Tests the connection. A network can lose it without a notice, which looks the same as a database
    /// without changes.
    pub(super) async fn test(&mut self, limit: Duration) -> Result<(), StoreError> {
        let asked = sqlx::query("SELECT 1").execute(&mut self.inner);
        let answered = within(limit, asked, failed).await;
        self.silent = answered.is_err();
        answered.map(|_| ())
    }

    /// Returns the present place in the server's log.
    pub(super) async fn place(&mut self, limit: Duration) -> Result<LogPlace, StoreError> {
        let instant = Instant::now();
        let asked = sqlx::query(PLACE).fetch_one(&mut self.inner);
        let answered = within(limit, asked, failed).await;
        self.silent = answered.is_err();
        let row = answered?;
        let place = row.try_get("place").map_err(failed)?;
        let cluster = row.try_get("cluster").map_err(failed)?;
        Ok(LogPlace { asked: instant, place, cluster })
    }

    /// Closes the connection. Dropping a silent one would wait for an answer, so it is closed as soon as a live
    /// one can take its place.
    pub(super) async fn end(mut self, options: PgConnectOptions) {
        for _ in 0..ATTEMPTS {
            if !self.silent {
                return;
            }
            sleep(PAUSE).await;
            let swapped = async {
                let mut live = options.connect().await?;
                std::mem::swap((&mut self.inner).acquire().await?, &mut live);
                Ok::<_, sqlx::Error>(())
            };
            self.silent = !matches!(timeout(PAUSE, swapped).await, Ok(Ok(())));
        }
    }
}

/// Waits for the database until the timeout.
async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
    convert: impl FnOnce(sqlx::Error) -> StoreError,
) -> Result<T, StoreError> {
    match timeout_at(after(limit), answer).await {
        Ok(answer) => answer.map_err(convert),
        Err(_) => Err(StoreError::new(Failure::NoAnswer(limit))),
    }
}
