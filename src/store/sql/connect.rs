//! Connecting, and bringing the tables up to date.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, SqlSafeStr};

use super::super::error::StoreError;
use super::failure::failed;
use crate::clock::{Clock, SystemClock};

/// The connections that a store opens at most; lookups and changes beyond them wait in line.
const MOST_CONNECTIONS: u32 = 10;

/// How long a lookup may take, with the wait for a connection.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often SQLite's tables are brought up to date before somebody else must have done it.
const MIGRATION_ATTEMPTS: u32 = 50;
const MIGRATION_PAUSE: Duration = Duration::from_millis(20);

/// The database that speaks a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Keeps keys in SQLite or PostgreSQL. Clones share one pool of connections.
///
/// ```
/// # use std::sync::Arc;
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{KeyManager, KeyStore, NewKey, SqlStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let file = folder.join("keys.db");
/// let store = SqlStore::connect(&format!("sqlite:{}", file.display())).await?;
/// let acme = Arc::new(Account::builder("acme").scopes(["read"]).build()?);
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// store.add(NewKey::new(digest, record), "ada").await?;
///
/// let found = store.find(&digest).await?.expect("it was just added");
/// assert!(found.scopes().contains("read"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlStore {
    pub(super) pool: AnyPool,
    pub(super) dialect: Dialect,
    /// With a password, perhaps: never to be shown.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(super) url: Arc<str>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timeout: Duration,
}

impl SqlStore {
    /// Connects to `sqlite:FILE`, which is created if it is missing, or to
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, and brings the tables up to date. Several processes may
    /// do so at once.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is of neither kind, or its feature (`sqlite`, `postgres`) is off; if
    /// the database cannot be reached or opened; if its tables are newer than this program.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = match url.split(':').next() {
            Some("sqlite") if cfg!(feature = "sqlite") => Dialect::Sqlite,
            Some("postgres" | "postgresql") if cfg!(feature = "postgres") => Dialect::Postgres,
            _ => return Err(StoreError::new("the URL is of no database that this program speaks")),
        };
        let url = match dialect {
            Dialect::Sqlite if !url.contains('?') => Cow::Owned(format!("{url}?mode=rwc")),
            _ => Cow::Borrowed(url),
        };
        let options = AnyPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .acquire_timeout(TIMEOUT)
            // A round trip less for each lookup; a connection that broke is replaced when it fails.
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect)));
        let pool = options.connect(&url).await.map_err(failed)?;
        let url = Arc::from(&*url);
        let store = Self { pool, dialect, url, clock: Arc::new(SystemClock), timeout: TIMEOUT };
        store.migrate().await.map_err(StoreError::new)?;
        Ok(store)
    }

    /// Tells the time by another clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Lets a lookup, or a list, take so long, 2 seconds unless set; then it fails. A change may take 30
    /// seconds for each of its statements, for it waits for the change before.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Closes all connections, when those in use are given back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migrate(&self) -> Result<(), MigrateError> {
        let migrations = migrations(self.dialect).into();
        let migrator = Migrator { migrations, ..Migrator::DEFAULT };
        // PostgreSQL locks out who else migrates; in SQLite several may find the same work to do. All but
        // one fail at its end, and find it done when they look again.
        let mut attempts = 0;
        loop {
            attempts += 1;
            match migrator.run(&self.pool).await {
                Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..))
                    if self.dialect == Dialect::Sqlite && attempts < MIGRATION_ATTEMPTS =>
                {
                    tokio::time::sleep(MIGRATION_PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

/// Lists the steps that make the tables, the oldest first. One that was ever released stays as it is.
fn migrations(dialect: Dialect) -> Vec<Migration> {
    let keys = match dialect {
        Dialect::Sqlite => include_str!("../../../migrations/0001_keys.sqlite.sql"),
        Dialect::Postgres => include_str!("../../../migrations/0001_keys.postgres.sql"),
    };
    let plans = include_str!("../../../migrations/0002_plans.sql");
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    [(1, "keys", keys), (2, "plans", plans)].map(step).into()
}

async fn prepare(
    connection: &mut sqlx::AnyConnection,
    dialect: Dialect,
) -> Result<(), sqlx::Error> {
    if dialect == Dialect::Sqlite {
        for pragma in [
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA busy_timeout = 5000",
            "PRAGMA foreign_keys = ON",
        ] {
            sqlx::query(pragma).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqlStore({:?})", self.dialect)
    }
}
