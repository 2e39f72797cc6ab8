//! Receives the changes of other processes over PostgreSQL's `LISTEN`.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, ConnectOptions, Connection, Postgres};
use tokio::time::{Instant, timeout_at};

use super::connect::{SqlStore, after};
use super::failure::{Failure, failed, unreachable};
use super::loan::Lender;
use super::notify::{self, CHANNEL};
use super::proof::TrailReader;
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

/// The default time without a notification after which the connection is tested.
const QUIET: Duration = Duration::from_secs(10);

/// The shortest time between two proofs.
const SHORTEST: Duration = Duration::from_millis(10);

/// Receives every change of the keys in a PostgreSQL database, from any process; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    options: PgConnectOptions,
    timeout: Duration,
    quiet: Duration,
    /// When the connection last showed that it is alive.
    heard: Instant,
    trail: TrailReader,
    listener: Option<PgListener>,
    /// A listener whose connection died silently. Dropping it would wait for an answer forever.
    silent: Option<PgListener>,
}

impl SqlStore {
    /// Returns a listener to changes of the keys, for `Cached::listen` of the core. Returns `None`
    /// for SQLite, which has no notifications. The listener opens a connection of its own at its first use.
    ///
    /// ```
    /// use tower_api_key::store::Cached;
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
    /// let database = SqlStore::connect("postgres://localhost/keys").await?;
    /// if let Some(changes) = database.invalidations() {
    ///     let store = Cached::new(database.clone());
    ///     tokio::spawn(store.listen(changes));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn invalidations(&self) -> Option<SqlInvalidations> {
        let pool: &dyn Any = &*self.pool;
        let lender = pool.downcast_ref::<Lender<Postgres>>()?;
        Some(SqlInvalidations {
            options: (*lender.pool.connect_options()).clone(),
            timeout: self.settings.lookup_timeout,
            quiet: QUIET,
            heard: Instant::now(),
            trail: TrailReader::new(self.clone()),
            listener: None,
            silent: None,
        })
    }
}

impl SqlInvalidations {
    /// Sets after how long without a notification the connection is tested, 10 seconds by default. A network
    /// can lose a connection without a notice, which looks the same as a database without changes.
    pub fn probe_after(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Sets the time between two proofs of life, 500 milliseconds by default, and 10 milliseconds at least.
    ///
    /// Each proof is one small query over the pool of the store. It returns the changes since the last one, so
    /// that lost notifications are made up for. A cache counts the age of its records from the last proof. So
    /// it saves lookups while the time is shorter than its staleness. For unknown secrets, the time must be
    /// shorter than its `unknown_for`.
    ///
    /// The pool must lead to one server. If it spreads its connections over several standbys, a record of one
    /// may be older than the proof of another.
    pub fn prove_every(mut self, every: Duration) -> Self {
        self.trail.every = every.max(SHORTEST);
        self
    }

    /// Listens over a new connection.
    async fn connect(&mut self) -> Result<(), StoreError> {
        let options = self.options.clone();
        let silent = &mut self.silent;
        let connected = async {
            // Connects outside of the pool first, because a pool does not say why it cannot.
            let mut first = options.connect().await?;
            if let Some(mut silent) = silent.take() {
                // The dead connection is closed here. Its listener gets a live one to close cleanly.
                std::mem::swap((&mut silent).acquire().await?, &mut first);
                drop(first);
            } else {
                first.close().await?;
            }
            let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None);
            let pool = pool.idle_timeout(None).connect_lazy_with(options);
            let mut listener = PgListener::connect_with(&pool).await?;
            // A lost connection must be reported, not replaced silently.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        self.listener = Some(within(self.timeout, connected, |error| unreachable(&error)).await?);
        Ok(())
    }

    /// Waits for a notification.
    async fn receive(&mut self) -> Result<Invalidation, StoreError> {
        let Some(listener) = &mut self.listener else {
            self.connect().await?;
            self.trail.begin().await;
            self.heard = Instant::now();
            // Changes before the connection was made are unknown.
            return Ok(Invalidation::Everything);
        };
        loop {
            if let Some(found) = self.trail.pop() {
                return Ok(found);
            }
            let until = self.heard.checked_add(self.quiet).unwrap_or_else(|| after(self.quiet));
            let received = timeout_at(until, listener.try_recv());
            let Some(received) = unless(self.trail.wait(), received).await else { continue };
            self.heard = Instant::now();
            match received {
                Ok(Ok(Some(received))) => return Ok(notify::read(received.payload())),
                Ok(Ok(None)) => {
                    return Err(StoreError::new("the connection for notifications was lost"));
                }
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) => {
                    let asked = sqlx::query("SELECT 1").execute(&mut *listener);
                    let answered = within(self.timeout, asked, failed).await;
                    if answered.is_err() {
                        self.silent = self.listener.take();
                        return answered.map(|_| Invalidation::Everything);
                    }
                    self.heard = Instant::now();
                }
            }
        }
    }
}

impl Invalidations for SqlInvalidations {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async move {
            let received = self.receive().await;
            if received.is_err() {
                self.listener = None;
            }
            Ok(received?)
        })
    }
}

/// Waits for a future. Returns `None` if the other one ends before.
async fn unless<T>(other: impl Future<Output = ()>, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut other) = (pin!(future), pin!(other));
    poll_fn(|context| match other.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(context).map(Some),
    })
    .await
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

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}
