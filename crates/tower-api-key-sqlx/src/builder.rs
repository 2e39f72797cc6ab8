//! The builder of a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::SqlStore;
use super::dialect::Dialect;
use super::driver::Pool;
use super::events::EventQueries;
use super::failure::Failure;
use super::group_queries::GroupQueries;
use super::loan::Terms;
use super::outage::Outage;
use super::query::Queries;
use super::settings::Settings;
use super::tables::Tables;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::store::{Retention, StoreError};

/// Collects the settings of a [`SqlStore`]: timeouts, connections, table names.
///
/// ```no_run
/// use std::time::Duration;
/// use tower_api_key_sqlx::SqlStore;
///
/// # async fn example() -> Result<SqlStore, tower_api_key::store::StoreError> {
/// let store = SqlStore::builder("postgres://keys@10.0.0.5/app")
///     .max_connections(4)
///     .lookup_timeout(Duration::from_millis(500))
///     .schema("keyring")
///     .connect()
///     .await?;
/// # Ok(store) }
/// ```
pub struct SqlStoreBuilder {
    place: Location,
    tables: Tables,
    settings: Settings,
    /// May hold a password, so it is never shown.
    listen_url: Option<String>,
    clock: Arc<dyn Clock>,
    retention: Retention,
}

/// Where the database is.
enum Location {
    /// May hold a password, so it is never shown.
    Url(String),
    Pool(Box<dyn FnOnce(Terms) -> Arc<dyn Pool> + Send>, Dialect),
}

impl SqlStoreBuilder {
    pub(super) fn new(url: String) -> Self {
        Self::at(Location::Url(url))
    }

    /// Returns a builder over a pool of the application. `lend` wraps the pool for the store.
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
    pub(super) fn over(
        dialect: Dialect,
        lend: impl FnOnce(Terms) -> Arc<dyn Pool> + Send + 'static,
    ) -> Self {
        Self::at(Location::Pool(Box::new(lend), dialect))
    }

    fn at(place: Location) -> Self {
        let (tables, settings) = (Tables::default(), Settings::default());
        let (clock, retention) = (Arc::new(SystemClock), Retention::default());
        Self { place, tables, settings, listen_url: None, clock, retention }
    }

    /// Sets the most connections that the store opens: 4 by default in PostgreSQL, whose connections all
    /// nodes share, and 10 in SQLite. Further lookups and changes wait for a free connection. A lookup keeps
    /// its connection for one round trip. A database in memory has one connection.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.settings.max_connections = Some(connections);
        self
    }

    /// Sets after how long a connection is replaced, 30 minutes by default. So connections move to a server
    /// that another took the place of. Needs PostgreSQL.
    pub fn max_lifetime(mut self, time: Duration) -> Self {
        self.settings.max_lifetime = Some(time);
        self
    }

    /// Sets after how long a connection that is not used is closed, 10 minutes by default. Needs PostgreSQL.
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.settings.idle_timeout = Some(time);
        self
    }

    /// Sends each statement as one message with its values inside, as a pooler in transaction mode needs it:
    /// `PgBouncer` with `pool_mode = transaction`. A lookup is one round trip, and the server plans it each time.
    /// In a URL, `?pgbouncer=true` says the same. `PgBouncer` 1.21 and newer keeps prepared statements itself
    /// (`max_prepared_statements`).
    ///
    /// Notices do not pass such a pooler. Set [`listen_url`](Self::listen_url), or there are none.
    pub fn behind_pooler(mut self, behind: bool) -> Self {
        self.settings.behind_pooler = behind;
        self
    }

    /// Listens to changes over another URL of the same PostgreSQL database: past a pooler, or at the primary
    /// server if this store reads from a standby. See [`SqlStore::invalidations`].
    pub fn listen_url(self, url: impl Into<String>) -> Self {
        Self { listen_url: Some(url.into()), ..self }
    }

    /// Refuses lookups if the data of a PostgreSQL standby server may be older than this; the gate then answers
    /// 503. Behind a `Cached` store a revoked key passes for at most the staleness and this time together.
    /// Needs [`listen_url`](Self::listen_url) with the URL of the primary server: the store asks it for its
    /// place in the log, at most once a second, and asks the standby whether it has replayed that place. No
    /// clock of a server counts. Lookups at a primary server are never refused, so a promotion is survived.
    pub fn max_lag(mut self, lag: Duration) -> Self {
        self.settings.max_lag = Some(lag);
        self
    }

    /// Sets the longest time of a lookup or a list, 2 seconds by default. The time includes the wait for a
    /// connection. After it, the call fails.
    pub fn lookup_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lookup_timeout = timeout;
        self
    }

    /// Sets the longest time of each statement of a change, 30 seconds by default. The time includes the wait
    /// for other changes. After it, the change fails and is rolled back.
    pub fn change_timeout(mut self, timeout: Duration) -> Self {
        self.settings.change_timeout = timeout;
        self
    }

    /// Sets the prefix of the table names, `tower_api_key_` by default. A prefix has 1 to 40 lower-case
    /// letters, digits and underscores, and does not begin with a digit or `sqlite_`. Stores with different
    /// prefixes do not see each other's keys.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.tables.prefix = prefix.into();
        self
    }

    /// Sets the PostgreSQL schema of the tables, which is created if it is missing. Without it, the store uses
    /// the schema in which the connection's `search_path` finds the tables, or else the first of that path.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.tables.schema = Some(schema.into());
        self
    }

    /// Creates the SQLite file if it is missing, as `?mode=rwc` in the URL does. Only the file's owner may read
    /// and write it (mode 0600). By default a missing file is an error, because the path may be mistyped.
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.settings.creates = create;
        self
    }

    /// Sets how long the store keeps an ended secret, 30 days by default; see
    /// [`KeyEntry`](tower_api_key::store::KeyEntry). The first rotation of the key after that time removes it.
    pub fn keep_ended_secrets(self, time: Duration) -> Self {
        Self { retention: Retention::new(time), ..self }
    }

    /// Reads the time from another clock than the system's.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Connects and brings the tables up to date, as [`SqlStore::connect`] does.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SqlStore::connect`], and an error if a setting is not valid:
    ///
    /// - the prefix or the schema is not a valid name, or SQLite is given a schema;
    /// - `max_connections` is 0, or a setting of connections is set for a pool of the application, which has its
    ///   own;
    /// - what only a server has is set for SQLite;
    /// - `max_lag` is set at a standby server without `listen_url`.
    pub async fn connect(self) -> Result<SqlStore, StoreError> {
        let dialect = self.checked()?;
        let Self { place, tables, mut settings, listen_url, clock, retention } = self;
        let listen_url = listen_url.map(Arc::from);
        let pool = match place {
            Location::Url(url) => open(dialect, &url, &mut settings).await?,
            Location::Pool(lend, _) => lend(Terms::new(&settings)),
        };
        let queries = Arc::new(Queries::new(&tables));
        let groups = Arc::new(GroupQueries::new(&queries.find));
        let events = Arc::new(EventQueries::new(&tables));
        let (tables, outage) = (Arc::new(tables), Arc::new(Outage::default()));
        #[cfg_attr(not(feature = "postgres"), allow(unused_mut))]
        let mut store = SqlStore {
            pool,
            dialect,
            tables,
            queries,
            groups,
            lookups: Arc::default(),
            events,
            clock,
            settings,
            outage,
            retention,
            listen_url,
            #[cfg(feature = "postgres")]
            freshness: None,
        };
        store.migrate().await?;
        store.fill_tags().await;
        #[cfg(feature = "postgres")]
        if dialect == Dialect::Postgres {
            store.watch_lag().await?;
        }
        Ok(store)
    }

    /// Checks the URLs and the settings as [`connect`](Self::connect) does first, and opens nothing: to check a
    /// configuration without its database.
    ///
    /// ```
    /// use tower_api_key_sqlx::SqlStore;
    ///
    /// assert!(SqlStore::builder("keys.db").check().is_err(), "this is no URL");
    /// # #[cfg(feature = "sqlite")]
    /// assert!(SqlStore::builder("sqlite:keys.db").check().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// The first of the errors of [`connect`](Self::connect) about a URL or a setting.
    pub fn check(&self) -> Result<(), StoreError> {
        self.checked().map(|_| ())
    }

    fn checked(&self) -> Result<Dialect, StoreError> {
        let (dialect, url) = match &self.place {
            Location::Url(url) => (dialect(url)?, Some(url)),
            Location::Pool(_, dialect) => (*dialect, None),
        };
        self.tables.check(dialect)?;
        self.settings.check(dialect, url.is_none())?;
        if dialect == Dialect::Sqlite && self.listen_url.is_some() {
            let wrong = "SQLite has no notices: leave out `listen_url`";
            return Err(StoreError::new(Failure::Setting(wrong)));
        }
        for url in url.into_iter().chain(&self.listen_url) {
            match dialect {
                #[cfg(feature = "sqlite")]
                Dialect::Sqlite => super::sqlite::check(url)?,
                #[cfg(feature = "postgres")]
                Dialect::Postgres => super::address::Address::read(url).map(|_| ())?,
                #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
                _ => return Err(StoreError::new(Failure::UnknownUrl)),
            }
        }
        Ok(dialect)
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
    settings: &mut Settings,
) -> Result<Arc<dyn Pool>, StoreError> {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => super::sqlite::open(url, settings).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => super::postgres::open(url, settings),
        // The other database's feature is off, and its URL was refused.
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
