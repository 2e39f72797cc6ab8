//! Receives the changes of other processes over PostgreSQL's `LISTEN`.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::postgres::PgConnectOptions;

use super::address::Address;
use super::channel::{Channel, Report, Subscription};
use super::connect::SqlStore;
use super::loan::Lender;
use super::own_pool::OwnPool;
use super::patience::Wish;
use super::proof::TrailReader;
use super::repeats::Repeats;
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

/// The default time without a notification after which the connection is tested.
pub(super) const QUIET: Duration = Duration::from_secs(10);

/// The shortest time between two proofs.
const SHORTEST: Duration = Duration::from_millis(10);

/// Receives every change of the keys in a PostgreSQL database, from any process; see
/// [`SqlStore::invalidations`].
pub struct SqlInvalidations {
    options: PgConnectOptions,
    wish: Wish,
    subscription: Option<Subscription>,
    repeats: Option<Repeats>,
    /// Proves that every change is known. A replica proves that by itself.
    trail: Option<TrailReader>,
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
            trail: Some(TrailReader::new(self.clone())),
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
        if let Some(trail) = &mut self.trail {
            trail.every = every.max(SHORTEST);
        }
        self
    }

    /// Reports notices only, and proves nothing.
    pub(super) fn without_proofs(self) -> Self {
        Self { trail: None, ..self }
    }

    /// Waits for a notification.
    async fn receive(&mut self) -> Result<Invalidation, StoreError> {
        let subscription =
            self.subscription.get_or_insert_with(|| Channel::join(&self.options, self.wish));
        loop {
            // What the trail of this server has is visible here, so it is never repeated.
            if let Some(found) = self.trail.as_mut().and_then(TrailReader::pop) {
                return Ok(found);
            }
            let report = tokio::select! {
                report = subscription.next() => report,
                what = repeated(&mut self.repeats) => return Ok(what),
                () = read(&mut self.trail) => continue,
            };
            let what = match report {
                Report::Open => {
                    if let Some(trail) = &mut self.trail {
                        trail.begin().await;
                    }
                    // Changes before the connection was made are unknown.
                    Invalidation::Everything
                }
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

/// Waits until the trail has something to report.
async fn read(trail: &mut Option<TrailReader>) {
    match trail {
        Some(trail) => trail.wait().await,
        None => std::future::pending().await,
    }
}

/// Waits until a notice is repeated. Without a standby, none is.
async fn repeated(repeats: &mut Option<Repeats>) -> Invalidation {
    match repeats {
        Some(repeats) => repeats.next().await,
        None => std::future::pending().await,
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
