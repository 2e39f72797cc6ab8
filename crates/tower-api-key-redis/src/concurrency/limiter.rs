//! The limiter of simultaneous requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::held::Held;
use super::keeper::{LeaseKeeper, Server};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::subject::Subject;
use tower_api_key::Reply;
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::limits::LimiterError;

/// How long a permit is kept for a process that does not renew it, unless it is set.
const LEASE: Duration = Duration::from_secs(10);
/// The shortest lease: a renewal that comes late must not cost a permit.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// The longest lease, so that the instant of the next renewal can be told.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 3_600);

/// Keeps the permits of simultaneous requests in Redis, for all processes that use the same server and
/// prefix. Made by [`RedisLimiter::concurrency`](crate::RedisLimiter::concurrency), over its connection.
///
/// A permit is leased, for 10 s unless [set](Self::lease). While the request is served and its response's
/// body streams, a task renews the lease three times in its length; when the body has ended, the same task
/// gives the permit back. A process that dies leaves its permits to the server, which frees them when their
/// leases are over.
///
/// No lease is granted while as many are held as the rule admits. A request that goes on while its process
/// cannot reach the server for a whole lease has none, and another may take its permit; once the server
/// answers again it is counted again, and nobody else enters until there are fewer than the rule says.
/// So it is after a server was restarted empty: within a third of a lease it knows who is in flight.
///
/// A request whose question was not answered in time may have got a permit, which is given back at once if
/// the server can be reached, and else is free after a lease.
///
/// Requests wait in the order in which they came to their process. Of each process the first one asks
/// the server from time to time, 10 ms apart at first and 100 ms at last, and as soon as a permit of the
/// same route is given back by its own process; so the order between processes is not kept.
///
/// ```
/// use tower_api_key_redis::RedisLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, vendors};
///
/// let limiter = RedisLimiter::open("redis://127.0.0.1:6379")?;
/// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new())
///     .concurrency(limiter.concurrency(), OnLimiterFailure::Deny)
///     .limits(limiter, OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisConcurrency {
    prefix: Arc<str>,
    keeper: Arc<LeaseKeeper>,
}

impl RedisConcurrency {
    pub(crate) fn new(connection: Connection, prefix: &str) -> Self {
        Self { prefix: prefix.into(), keeper: Arc::new(LeaseKeeper::new(connection, LEASE)) }
    }

    /// Sets how long a permit is kept for a process that does not renew it: 10 s unless set, 1 s at
    /// least, and a day at most. After a process has died its permits are free again within this time.
    pub fn lease(self, lease: Duration) -> Self {
        let keeper = LeaseKeeper::new(
            self.keeper.server.connection.clone(),
            lease.clamp(SHORTEST_LEASE, LONGEST_LEASE),
        );
        Self { keeper: Arc::new(keeper), ..self }
    }

    /// Names the set of an account's permits on a route, in the slot of all else of the account's.
    fn key(&self, Acquire { account, route, .. }: Acquire<'_>) -> Arc<str> {
        let subject = Subject { prefix: &self.prefix, account, key: None };
        format!("{subject}:permits:{route}").into()
    }

    /// Takes a permit, or waits for one.
    async fn take(self, key: Arc<str>, rule: Concurrency) -> Result<Option<Permit>, Failure> {
        let began = tokio::time::Instant::now();
        // Who waits already comes first.
        if !self.keeper.queue.has(&key)
            && let PermitReply::Taken(permit) = self.ask(&key, rule).await?
        {
            return Ok(Some(permit));
        }
        let Some(mut turn) = self.keeper.queue.turn(&key, rule, began).await else {
            return Ok(None);
        };
        loop {
            // PermitReply once more after the longest wait: the permit may have come free by then.
            let over = began.elapsed() >= rule.longest_wait();
            let free_in = match self.ask(&key, rule).await? {
                PermitReply::Taken(permit) => return Ok(Some(permit)),
                PermitReply::Full { .. } if over => return Ok(None),
                PermitReply::Full { free_in } => free_in,
            };
            let left = rule.longest_wait().saturating_sub(began.elapsed());
            turn.wait(free_in.min(left)).await;
        }
    }

    /// Asks the server for a permit.
    async fn ask(&self, key: &Arc<str>, rule: Concurrency) -> Result<PermitReply, Failure> {
        let held = Held::new(&self.keeper, key)?;
        let mut call = Server::call(key, "enter");
        call.command.arg(self.keeper.lease_microseconds()).arg(rule.limit()).arg(held.permit());
        // If no answer comes, it may have been taken: it is given back when `held` is dropped.
        match *self.keeper.server.connection.call(&call).await? {
            [1, _] => Ok(PermitReply::Taken(Permit::new(held.taken()))),
            [0, microseconds] => {
                held.refused();
                let microseconds = u64::try_from(microseconds).unwrap_or(0);
                Ok(PermitReply::Full { free_in: Duration::from_micros(microseconds) })
            }
            _ => Err(Failure::Nonsense),
        }
    }
}

/// What the server said.
enum PermitReply {
    Taken(Permit),
    /// The first lease is over after this time, if it is not renewed.
    Full {
        free_in: Duration,
    },
}

impl ConcurrencyLimiter for RedisConcurrency {
    fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        let taking = self.clone().take(self.key(request), request.rule);
        Reply::later(async move { taking.await.map_err(LimiterError::new) })
    }
}

impl fmt::Debug for RedisConcurrency {
    /// Leaves the address out, for it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisConcurrency")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
