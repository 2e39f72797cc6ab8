//! Setting up a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::SqlStore;
use super::dialect::Dialect;
use super::driver::Pool;
use super::failure::Failure;
use super::outage::Outage;
use super::query::Queries;
use super::settings::Settings;
use super::tables::Tables;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::store::{Retention, StoreError};

/// Collects what is set of a [`SqlStore`].
///
/// ```no_run
/// use std::time::Duration;
/// use tower_api_key_sqlx::SqlStore;
///
/// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
/// let store = SqlStore::builder("postgres://keys@10.0.0.5/app")
///     .max_connections(4)
///     .lookup_timeout(Duration::from_millis(500))
///     .schema("keyring")
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub struct SqlStoreBuilder {
    place: Place,
    tables: Tables,
    settings: Settings,
    max_connections: Option<u32>,
    clock: Arc<dyn Clock>,
    retention: Retention,
}

/// Where the database is.
enum Place {
    /// With a password, perhaps: never to be shown.
    Url(String),
    Pool(Box<dyn FnOnce(Duration) -> Arc<dyn Pool> + Send>, Dialect),
}

impl SqlStoreBuilder {
    pub(super) fn new(url: String) -> Self {
        Self::at(Place::Url(url))
    }

    /// Starts a store over a pool that the application has already. `lend` makes it one of the store's,
    /// whose connections are waited for so long when they are given back.
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
    pub(super) fn over(
        dialect: Dialect,
        lend: impl FnOnce(Duration) -> Arc<dyn Pool> + Send + 'static,
    ) -> Self {
        Self::at(Place::Pool(Box::new(lend), dialect))
    }

    fn at(place: Place) -> Self {
        let (tables, settings) = (Tables::default(), Settings::default());
        let (clock, retention) = (Arc::new(SystemClock), Retention::default());
        Self { place, tables, settings, max_connections: None, clock, retention }
    }

    /// Opens so many connections at most, 10 unless set; lookups and changes beyond them wait in line. A
    /// database in memory has one.
    pub fn max_connections(self, connections: u32) -> Self {
        Self { max_connections: Some(connections), ..self }
    }

    /// Lets a lookup, or a list, take so long, 2 seconds unless set, with the wait for a connection; then
    /// it fails.
    pub fn lookup_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lookup_timeout = timeout;
        self
    }

    /// Lets each statement of a change take so long, 30 seconds unless set, with the wait for those that
    /// make another change; then the change fails, and nothing of it stays.
    pub fn change_timeout(mut self, timeout: Duration) -> Self {
        self.settings.change_timeout = timeout;
        self
    }

    /// Lets the names of the tables begin with this, `tower_api_key_` unless set: 1 to 40 small letters,
    /// digits and underscores. Stores with different prefixes know nothing of each other's keys.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.tables.prefix = prefix.into();
        self
    }

    /// Keeps the tables in this schema of PostgreSQL, which is made if it is missing; unless set, where the
    /// connection's `search_path` finds them, or else in its first.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.tables.schema = Some(schema.into());
        self
    }

    /// Makes the SQLite file if it is not there, for its owner alone to read and write (mode 0600), as
    /// `?mode=rwc` in the URL does. Unless set, a file that is not there is an error, for the path may
    /// be mistyped.
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.settings.creates = create;
        self
    }

    /// Keeps a secret that has ended for so long, 30 days unless set; see
    /// [`KeyEntry`](tower_api_key::store::KeyEntry). The first rotation of its key after that time removes it.
    pub fn keep_ended_secrets(self, time: Duration) -> Self {
        Self { retention: Retention::new(time), ..self }
    }

    /// Tells the time by another clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Connects, and brings the tables up to date, as [`SqlStore::connect`] does.
    ///
    /// # Errors
    ///
    /// As for [`SqlStore::connect`]; and if what is set cannot be: a prefix or a schema that is no such
    /// name, no connections, or a number of them for a pool that was handed in and has its own.
    pub async fn connect(self) -> Result<SqlStore, StoreError> {
        let Self { place, tables, mut settings, max_connections, clock, retention } = self;
        let wrong = |what| Err(StoreError::new(Failure::Setting(what)));
        if max_connections == Some(0) {
            return wrong("a store needs a connection at least (`max_connections`)");
        }
        settings.max_connections = max_connections.unwrap_or(settings.max_connections);
        let dialect = match &place {
            Place::Url(url) => dialect(url)?,
            Place::Pool(..) if max_connections.is_some() => {
                return wrong("a pool that is handed in has its own number of connections");
            }
            Place::Pool(_, dialect) => *dialect,
        };
        tables.check(dialect)?;
        let pool = match place {
            Place::Url(url) => open(dialect, &url, &settings).await?,
            Place::Pool(lend, _) => lend(settings.lookup_timeout),
        };
        let queries = Arc::new(Queries::new(&tables));
        let (tables, outage) = (Arc::new(tables), Arc::new(Outage::default()));
        let store = SqlStore { pool, dialect, tables, queries, clock, settings, outage, retention };
        store.migrate().await?;
        Ok(store)
    }
}

fn dialect(url: &str) -> Result<Dialect, StoreError> {
    match url.split(':').next() {
        Some("sqlite") if cfg!(feature = "sqlite") => Ok(Dialect::Sqlite),
        Some("postgres" | "postgresql") if cfg!(feature = "postgres") => Ok(Dialect::Postgres),
        _ => Err(StoreError::new(Failure::UnknownUrl)),
    }
}

#[cfg_attr(not(feature = "sqlite"), allow(clippy::unused_async))]
async fn open(
    dialect: Dialect,
    url: &str,
    settings: &Settings,
) -> Result<Arc<dyn Pool>, StoreError> {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => super::sqlite::open(url, settings).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => super::postgres::open(url, settings),
        // The feature of the other is off, and its URL was refused.
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        _ => Err(StoreError::new(Failure::UnknownUrl)),
    }
}

impl fmt::Debug for SqlStoreBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tables, settings) = (&self.tables, &self.settings);
        formatter
            .debug_struct("SqlStoreBuilder")
            .field("tables", tables)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}
