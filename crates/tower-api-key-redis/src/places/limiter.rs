//! The limiter of simultaneous requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::held::Held;
use super::keeper::{LeaseKeeper, Server};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::subject::Subject;
use tower_api_key::Eventually;
use tower_api_key::concurrency::{Concurrency, Entered, Entry, Permit, Places};
use tower_api_key::limits::LimiterError;

/// How long a place is kept for a process that does not renew it, unless it is set.
const LEASE: Duration = Duration::from_secs(10);
/// The shortest lease: a renewal that comes late must not cost a place.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// The longest lease, so that the instant of the next renewal can be told.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 3_600);

/// Keeps the places of simultaneous requests in Redis, for all processes that use the same server and
/// prefix. Made by [`RedisLimiter::places`](crate::RedisLimiter::places), over its connection.
///
/// A place is leased, for 10 s unless [set](Self::lease). While the request is served and its response's
/// body streams, a task renews the lease three times in its length; when the body has ended, the same task
/// gives the place back. A process that dies leaves its places to the server, which frees them when their
/// leases are over.
///
/// No lease is granted while as many are held as the rule admits. A request that goes on while its process
/// cannot reach the server for a whole lease has none, and another may take its place; once the server
/// answers again it is counted again, and nobody else enters until there are fewer than the rule says.
/// So it is after a server was restarted empty: within a third of a lease it knows who is in flight.
///
/// A request whose question was not answered in time may have got a place, which is given back at once if
/// the server can be reached, and else is free after a lease.
///
/// Requests wait in the order in which they came to their process. Of each process the first one asks
/// the server from time to time, 10 ms apart at first and 100 ms at last, and as soon as a place of the
/// same route is given back by its own process; so the order between processes is not kept.
///
/// ```
/// use tower_api_key_redis::RedisLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, vendors};
///
/// let limiter = RedisLimiter::connect("redis://127.0.0.1:6379")?;
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new())
///     .places(limiter.places(), OnLimiterFailure::Deny)
///     .limits(limiter, OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisPlaces {
    prefix: Arc<str>,
    keeper: Arc<LeaseKeeper>,
}

impl RedisPlaces {
    pub(crate) fn new(connection: Connection, prefix: &str) -> Self {
        Self { prefix: prefix.into(), keeper: Arc::new(LeaseKeeper::new(connection, LEASE)) }
    }

    /// Sets how long a place is kept for a process that does not renew it: 10 s unless set, 1 s at
    /// least, and a day at most. After a process has died its places are free again within this time.
    pub fn lease(self, lease: Duration) -> Self {
        let keeper = LeaseKeeper::new(
            self.keeper.server.connection.clone(),
            lease.clamp(SHORTEST_LEASE, LONGEST_LEASE),
        );
        Self { keeper: Arc::new(keeper), ..self }
    }

    /// Names the set of an account's permits on a route, in the slot of all else of the account's.
    fn key(&self, Entry { account, route, .. }: Entry<'_>) -> Arc<str> {
        let subject = Subject { prefix: &self.prefix, account, key: None };
        format!("{subject}:places:{route}").into()
    }

    /// Takes a place, or waits for one.
    async fn take(self, key: Arc<str>, rule: Concurrency) -> Result<Option<Permit>, Failure> {
        let began = tokio::time::Instant::now();
        // Who waits already comes first.
        if !self.keeper.queue.has(&key)
            && let PlaceReply::Taken(permit) = self.ask(&key, rule).await?
        {
            return Ok(Some(permit));
        }
        let Some(mut turn) = self.keeper.queue.turn(&key, rule, began).await else {
            return Ok(None);
        };
        loop {
            // PlaceReply once more after the longest wait: the place may have come free by then.
            let over = began.elapsed() >= rule.longest_wait();
            let free_in = match self.ask(&key, rule).await? {
                PlaceReply::Taken(permit) => return Ok(Some(permit)),
                PlaceReply::Full { .. } if over => return Ok(None),
                PlaceReply::Full { free_in } => free_in,
            };
            let left = rule.longest_wait().saturating_sub(began.elapsed());
            turn.wait(free_in.min(left)).await;
        }
    }

    /// Asks the server for a place.
    async fn ask(&self, key: &Arc<str>, rule: Concurrency) -> Result<PlaceReply, Failure> {
        let held = Held::new(&self.keeper, key)?;
        let mut call = Server::call(key, "enter");
        call.command.arg(self.keeper.lease_microseconds()).arg(rule.limit()).arg(held.permit());
        // If no answer comes, it may have been taken: it is given back when `held` is dropped.
        match *self.keeper.server.connection.call(&call).await? {
            [1, _] => Ok(PlaceReply::Taken(Permit::new(held.taken()))),
            [0, microseconds] => {
                held.refused();
                let microseconds = u64::try_from(microseconds).unwrap_or(0);
                Ok(PlaceReply::Full { free_in: Duration::from_micros(microseconds) })
            }
            _ => Err(Failure::Nonsense),
        }
    }
}

/// What the server said.
enum PlaceReply {
    Taken(Permit),
    /// The first lease is over after this time, if it is not renewed.
    Full {
        free_in: Duration,
    },
}

impl Places for RedisPlaces {
    fn enter(&self, entry: Entry<'_>) -> Eventually<Entered> {
        let taking = self.clone().take(self.key(entry), entry.rule);
        Eventually::later(async move { taking.await.map_err(LimiterError::new) })
    }
}

impl fmt::Debug for RedisPlaces {
    /// Leaves the address out, for it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisPlaces").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
