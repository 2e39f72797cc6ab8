//! The limiter of simultaneous requests in Redis.

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

/// A limiter of simultaneous requests in Redis, for all processes that use the same server and prefix.
///
/// [`RedisLimiter::concurrency`](crate::RedisLimiter::concurrency) returns it. It uses the connection of that
/// limiter. Clones share their permits.
///
/// A permit is a lease of 10 s, unless [set](crate::RedisLimiterBuilder::permit_lease). While the handler runs
/// and the response's body streams, a task of the process renews the lease, three times in its length. When the
/// body has ended, the same task gives the permit back. If a process dies, the server frees its permits
/// when their leases end.
///
/// The server grants no permit while as many are held as the rule admits. There are three edge cases:
///
/// * A process may not reach the server for a whole lease. Its requests in flight then have no permit, and
///   other requests may take theirs. Once the server answers, the first requests count again, and no further
///   request gets a permit until fewer are in flight than the rule admits.
/// * The same holds after the server restarts empty. It learns of the requests in flight within a third of
///   a lease.
/// * A call may time out after the server granted the permit. The process gives this permit back at once if
///   it can reach the server. Otherwise the permit is free after a lease.
///
/// Within a process, requests wait in the order in which they came. The first of them asks the server, every
/// 10 ms at first and every 100 ms in the end. It also asks as soon as its own process gives back a
/// permit of the same route. The order between processes is not kept.
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
    pub(crate) fn new(connection: Connection, prefix: &str, lease: Duration) -> Self {
        Self { prefix: prefix.into(), keeper: Arc::new(LeaseKeeper::new(connection, lease)) }
    }

    /// Returns the Redis key of an account's permits on a route, in the cluster slot of the account.
    fn key(&self, Acquire { account, route, .. }: Acquire<'_>) -> Arc<str> {
        let subject = Subject { prefix: &self.prefix, account, key: None };
        format!("{subject}:permits:{route}").into()
    }

    /// Takes a permit, or waits for one.
    async fn take(self, key: Arc<str>, rule: Concurrency) -> Result<Option<Permit>, Failure> {
        let began = tokio::time::Instant::now();
        // Requests that wait already come first.
        if !self.keeper.queue.has(&key)
            && let PermitReply::Taken(permit) = self.ask(&key, rule).await?
        {
            return Ok(Some(permit));
        }
        let Some(mut turn) = self.keeper.queue.turn(&key, rule, began).await else {
            return Ok(None);
        };
        loop {
            // Asks once more after the longest wait: a permit may be free by then.
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
        // Without an answer the server may have granted it. Dropping `held` gives it back.
        match *self.keeper.server.connection.call(&call).await? {
            [1, in_flight] => {
                let in_flight = u32::try_from(in_flight).unwrap_or(u32::MAX);
                Ok(PermitReply::Taken(Permit::counted(held.taken(), in_flight)))
            }
            [0, microseconds] => {
                held.refused();
                let microseconds = u64::try_from(microseconds).unwrap_or(0);
                Ok(PermitReply::Full { free_in: Duration::from_micros(microseconds) })
            }
            _ => Err(Failure::Nonsense),
        }
    }
}

/// The server's answer to a request for a permit.
enum PermitReply {
    Taken(Permit),
    /// The rule admits no more. The first lease ends after this time if it is not renewed.
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
    /// Omits the address, because it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisConcurrency")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
