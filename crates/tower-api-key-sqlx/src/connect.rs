//! A store over a database, and how it asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::builder::SqlStoreBuilder;
use super::dialect::Dialect;
use super::driver::{Connection, Pool, Row};
use super::failure::{Failure, failed, is_broken, is_locked, unreachable};
use super::outage::Outage;
use super::query::Queries;
use super::settings::Settings;
use super::statement::Statement;
use super::tables::Tables;
use tower_api_key::clock::Clock;
use tower_api_key::store::{Retention, StoreError};

/// How often a lookup is tried on another connection. After a restart of the database all connections
/// that the pool kept are broken.
const ATTEMPTS: u32 = 12;

/// How long a connection that could not be made is waited for before the next try.
const PAUSE: Duration = Duration::from_millis(10);

/// An instant that is too far away to be told counts as this far.
const FAR: Duration = Duration::from_secs(86_400);

/// Keeps keys in SQLite or PostgreSQL. Clones share one pool of connections.
///
/// Its tables lie beside those of other programs, under names that begin with `tower_api_key_`.
/// [`SqlStore::builder`] has what can be set: another prefix, a schema, the number of connections, timeouts.
///
/// ```
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
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
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlStore {
    pub(super) pool: Arc<dyn Pool>,
    pub(super) dialect: Dialect,
    pub(super) tables: Arc<Tables>,
    pub(super) queries: Arc<Queries>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) outage: Arc<Outage>,
    pub(super) retention: Retention,
}

impl SqlStore {
    /// Connects to `sqlite:FILE`, `sqlite::memory:` or `postgres://USER:PASSWORD@HOST/DATABASE`, and
    /// brings the tables up to date; where they are, it writes nothing. Several processes may do so at
    /// once.
    ///
    /// What stands between `sqlite:` and `?` is the path, to the letter. A file that is not there is made
    /// only for `sqlite:FILE?mode=rwc`, or by [`SqlStoreBuilder::create_if_missing`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is of neither kind, or its feature (`sqlite`, `postgres`) is off; if
    /// the database cannot be reached or opened, or has tables of the same names that this program did
    /// not make; if its tables are newer than this program.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).connect().await
    }

    /// Starts a store of which something is set before it connects.
    pub fn builder(url: impl Into<String>) -> SqlStoreBuilder {
        SqlStoreBuilder::new(url.into())
    }

    /// Tells the time by another clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Lets a lookup, or a list, take so long, 2 seconds unless set; then it fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.lookup_timeout = timeout;
        self
    }

    /// Lets each statement of a change take so long, 30 seconds unless set, for it waits for the change
    /// before; then the change fails, and nothing of it stays.
    pub fn change_timeout(mut self, timeout: Duration) -> Self {
        self.settings.change_timeout = timeout;
        self
    }

    /// Closes all connections, when those in use are given back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Asks for what changes nothing, on another connection if one is broken, and no longer than a
    /// lookup may take.
    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let limit = self.settings.lookup_timeout;
        let end = after(limit);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut connection = self.acquire(limit, end).await?;
            match timeout_at(end, connection.fetch(statement.clone())).await {
                Ok(Err(error)) if is_broken(&error) && attempts < ATTEMPTS => {
                    self.pool.distrust_idle();
                }
                Ok(answer) => return answer.map_err(failed),
                Err(_) => return Err(self.no_answer(limit)),
            }
        }
    }

    /// Says that a statement was not answered in time. Other connections may have fallen silent with it.
    pub(super) fn no_answer(&self, limit: Duration) -> StoreError {
        self.pool.distrust_idle();
        StoreError::new(Failure::NoAnswer(limit))
    }

    /// Waits for a connection until an instant, and leaves some of the time for the question why there
    /// is none.
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
                    // It may have been an idle one's sign of life that was waited for: an application's
                    // own pool asks for that, and without a limit.
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

/// Returns the instant that ends a time which begins now.
pub(super) fn after(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + FAR)
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqlStore({:?})", self.dialect)
    }
}
