//! The store, and how it reads from the database.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::builder::SqlStoreBuilder;
use super::deadline::after;
use super::dialect::Dialect;
use super::driver::{Connection, Pool, Row};
use super::events::EventQueries;
use super::failure::{Failure, failed, is_broken, is_conflict, is_locked, unreachable};
use super::group_queries::GroupQueries;
use super::lookup_queue::LookupQueue;
use super::outage::Outage;
use super::query::Queries;
use super::settings::Settings;
use super::statement::Statement;
use super::tables::Tables;
use tower_api_key::clock::Clock;
use tower_api_key::store::{Retention, StoreError};

/// The most tries of a lookup, each on another connection. After a restart of the database, all idle
/// connections of the pool are broken.
const ATTEMPTS: u32 = 12;

/// The pause after a failed attempt to connect.
const PAUSE: Duration = Duration::from_millis(10);

/// A store of keys in SQLite or PostgreSQL. Clones share one pool of connections.
///
/// The tables may share a database with other programs: their names begin with `tower_api_key_`.
/// [`SqlStore::builder`] sets another prefix, a schema, the number of connections and timeouts.
///
/// ```
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyManager, KeyStore, NewKey};
/// use tower_api_key_sqlx::SqlStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqlStore::connect("sqlite::memory:").await?; // or sqlite:FILE, or postgres://…
/// let acme = Account::builder("acme").scopes(["read"]).build()?;
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// store.add(NewKey::new(digest, record), "ada").await?;
///
/// let found = store.find(&digest).await?.expect("it was just added");
/// assert!(found.scopes().contains("read"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SqlStore {
    pub(super) pool: Arc<dyn Pool>,
    pub(super) dialect: Dialect,
    pub(super) tables: Arc<Tables>,
    pub(super) queries: Arc<Queries>,
    pub(super) groups: Arc<GroupQueries>,
    pub(super) lookups: Arc<LookupQueue>,
    pub(super) events: Arc<EventQueries>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) outage: Arc<Outage>,
    pub(super) retention: Retention,
    /// The URL for notices, if it is another than that of the pool. It may hold a password.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(super) listen_url: Option<Arc<str>>,
    /// What is known of the age of a standby's data.
    #[cfg(feature = "postgres")]
    pub(super) freshness: Option<Arc<super::freshness::Freshness>>,
}

impl SqlStore {
    /// Connects to `sqlite:FILE`, `sqlite::memory:` or `postgres://USER:PASSWORD@HOST/DATABASE`, and brings
    /// the tables up to date. If they are up to date, it writes nothing. Several processes may connect at
    /// once.
    ///
    /// The text between `sqlite:` and `?` is the path, without any decoding. A missing file is created only
    /// for `sqlite:FILE?mode=rwc`, or with [`SqlStoreBuilder::create_if_missing`].
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if
    ///
    /// - the URL has another form, or its feature (`sqlite`, `postgres`) is off;
    /// - the URL has a parameter that sqlx does not know: sqlx would log its value, which may be a password;
    /// - the database cannot be reached or opened;
    /// - the database has tables of these names that this crate did not create;
    /// - the tables were created by a newer release.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).connect().await
    }

    /// Returns a builder, to change settings before the store connects.
    pub fn builder(url: impl Into<String>) -> SqlStoreBuilder {
        SqlStoreBuilder::new(url.into())
    }

    /// Returns a handle of the same store that reads the time from another clock than the system's.
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Returns a handle of the same store with another longest time of a lookup or a list, 2 seconds by
    /// default. After it, the call fails.
    pub fn with_lookup_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lookup_timeout = timeout;
        self
    }

    /// Returns a handle of the same store with another longest time of each statement of a change, 30
    /// seconds by default. The time includes the wait for other changes. After it, the change fails and is rolled back.
    pub fn with_change_timeout(mut self, timeout: Duration) -> Self {
        self.settings.change_timeout = timeout;
        self
    }

    /// Waits until the connections in use are returned, and closes all. A pool of the application stays open.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs a statement that changes nothing, within the lookup's timeout. If a connection is broken, tries
    /// another.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.read_within(statement, self.settings.lookup_timeout).await
    }

    /// Runs a statement that changes nothing, within a timeout.
    pub(super) async fn read_within(
        &self,
        statement: Statement,
        limit: Duration,
    ) -> Result<Vec<Row>, StoreError> {
        let end = after(limit);
        let connection = self.acquire(limit, end).await?;
        self.read_on(connection, statement, limit, end).await
    }

    /// Runs a statement that changes nothing on a connection. If it is broken, tries another one until `end`.
    pub(super) async fn read_on(
        &self,
        mut connection: Box<dyn Connection>,
        statement: Statement,
        limit: Duration,
        end: Instant,
    ) -> Result<Vec<Row>, StoreError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match timeout_at(end, connection.fetch(statement.clone())).await {
                Ok(Err(error)) if is_broken(&error) && attempts < ATTEMPTS => {
                    self.pool.distrust_idle();
                }
                Ok(Err(error)) if is_conflict(&error) && attempts < ATTEMPTS => {}
                Ok(answer) => return answer.map_err(failed),
                Err(_) => {
                    connection.distrust();
                    return Err(self.no_answer(limit));
                }
            }
            drop(connection);
            connection = self.acquire(limit, end).await?;
        }
    }

    /// Returns the error of a timeout, and closes idle connections: they may be dead, too.
    pub(super) fn no_answer(&self, limit: Duration) -> StoreError {
        self.pool.distrust_idle();
        StoreError::new(Failure::NoAnswer(limit))
    }

    /// Waits for a connection until `end`. Keeps an eighth of the time to find out why no connection came.
    pub(super) async fn acquire(
        &self,
        limit: Duration,
        end: Instant,
    ) -> Result<Box<dyn Connection>, StoreError> {
        let ask_why = end.checked_sub(limit / 8).unwrap_or(end);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match timeout_at(ask_why, self.pool.acquire()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => {
                    // An application's pool may test an idle connection first, without a timeout, and
                    // wait for a dead one.
                    self.pool.distrust_idle();
                    break;
                }
            };
            let again = match &error {
                sqlx::Error::PoolTimedOut => true,
                error if is_locked(error) => true,
                error => is_broken(error) && attempts < ATTEMPTS,
            };
            if !again {
                return Err(unreachable(&error));
            }
            let next = Instant::now() + PAUSE;
            if next >= ask_why {
                break;
            }
            sleep_until(next).await;
        }
        Err(self.outage.cause(&*self.pool, limit, end).await)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqlStore({:?})", self.dialect)
    }
}
