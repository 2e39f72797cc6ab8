//! Receives the changes of other processes over PostgreSQL's `LISTEN`.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::postgres::PgConnectOptions;

use super::address::Address;
use super::channel::{Channel, Report, Subscription, Wish};
use super::connect::SqlStore;
use super::loan::Lender;
use super::own_pool::OwnPool;
use super::repeats::Repeats;
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

/// The default time without a notification after which the connection is tested.
const QUIET: Duration = Duration::from_secs(10);

/// Receives every change of the keys in a PostgreSQL database, from any process; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    options: PgConnectOptions,
    wish: Wish,
    subscription: Option<Subscription>,
    repeats: Option<Repeats>,
}

impl SqlStore {
    /// Returns a listener to changes of the keys, for `Cached::listen` of the core. All listeners of this
    /// process to the same URL share one connection, which is opened at the first use.
    ///
    /// Returns `None` for SQLite, which has no notifications, and behind a pooler in transaction mode, which
    /// takes `LISTEN` and passes nothing on. There, set
    /// [`listen_url`](super::SqlStoreBuilder::listen_url).
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
        let options = self.listen_options()?;
        let wish = Wish { answer: self.settings.lookup_timeout, quiet: QUIET, place_every: None };
        let proven = self.freshness.as_ref().map(|freshness| freshness.proven());
        Some(SqlInvalidations {
            options,
            wish,
            subscription: None,
            repeats: proven.map(Repeats::new),
        })
    }

    /// Returns how to connect for notices; `None` if there are none.
    pub(super) fn listen_options(&self) -> Option<PgConnectOptions> {
        let pool: &dyn Any = &*self.pool;
        match (&self.listen_url, pool.downcast_ref::<OwnPool<Postgres>>()) {
            (Some(url), _) => Some(Address::read(url).ok()?.options),
            (None, _) if self.settings.behind_pooler => None,
            (None, Some(own)) => Some(own.options().clone()),
            (None, None) => {
                let lender = pool.downcast_ref::<Lender<Postgres>>()?;
                Some((*lender.pool.connect_options()).clone())
            }
        }
    }
}

impl SqlInvalidations {
    /// Sets after how long without a notification the connection is tested, 10 seconds by default. A network
    /// can lose a connection without a notice, which looks the same as a database without changes. Of
    /// listeners that share a connection, the shortest time counts.
    pub fn probe_after(mut self, quiet: Duration) -> Self {
        self.wish.quiet = quiet;
        self
    }

    /// Waits for a notification.
    async fn receive(&mut self) -> Result<Invalidation, StoreError> {
        let subscription =
            self.subscription.get_or_insert_with(|| Channel::join(&self.options, self.wish));
        loop {
            let report = match &mut self.repeats {
                None => subscription.next().await,
                Some(repeats) => tokio::select! {
                    report = subscription.next() => report,
                    what = repeats.next() => return Ok(what),
                },
            };
            let what = match report {
                // Changes before the connection was made are unknown.
                Report::Open => Invalidation::Everything,
                Report::Changed(what) => what,
                Report::Place(_) => continue,
                Report::Failed(error) => return Err(StoreError::new(Shared(error))),
            };
            if let Some(repeats) = &mut self.repeats {
                repeats.note(what.clone());
            }
            return Ok(what);
        }
    }
}

impl Invalidations for SqlInvalidations {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async move {
            let received = self.receive().await;
            if received.is_err() {
                self.subscription = None;
            }
            Ok(received?)
        })
    }
}

impl fmt::Debug for SqlInvalidations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SqlInvalidations")
    }
}

/// The cause of a failure that several listeners learn of.
#[derive(Debug)]
struct Shared(Arc<StoreError>);

impl fmt::Display for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(cause) => write!(formatter, "{cause}"),
            None => write!(formatter, "{}", self.0),
        }
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()?.source()
    }
}
