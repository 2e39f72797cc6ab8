//! The limiter.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::builder::RedisLimiterBuilder;
use super::concurrency::RedisConcurrency;
use super::connection::Connection;
use super::failure::Failure;
use super::lease::{Flight, Lease, LeaseReply, LeaseTable, NextStep};
use super::question::{Counted, Question, Terms};
use super::script::ChargeScript;
use tower_api_key::ConfigError;
use tower_api_key::Reply;
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
use tower_api_key::quota::Verdict;

/// Counts requests in Redis (6.2 or newer) or Valkey, for all processes that use the same server.
/// Clones share one connection.
///
/// All windows of a request are charged by one script in one round trip. The instant of a request is the
/// server's when it runs the script. A request is counted when its script runs: one whose client, or
/// whose patience, ends before the answer comes was still charged.
///
/// With a [`Lease`] a node takes tokens in advance, and most requests of a busy account make no round
/// trip.
///
/// It speaks to one server, without TLS (a proxy on the same machine can add that). The keys of a
/// request lie in one slot of a cluster, for a proxy in front of one. The rights that it needs, with
/// `SELECT` for a URL that names a database, and in the last line those of its [`concurrency`](Self::concurrency):
///
/// ```text
/// ACL SETUSER limiter on >PASSWORD ~tower-api-key:* resetchannels -@all
///     +ping +select +evalsha +script|load
///     +time +hmget +hset +hlen +hgetall +hdel +pttl +pexpire
///     +zadd +zcard +zrange +zrem +zremrangebyscore +zscore
/// ```
///
/// A server that says it is the wrong one (a replica, a node of a cluster, one that still loads) is left
/// for another connection, for its name may lead elsewhere by now. One that refuses again and again is not
/// asked for up to 2 s at a time, as one that is down.
///
/// ```
/// use tower_api_key_redis::RedisLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, vendors};
///
/// let limiter = RedisLimiter::open("redis://127.0.0.1:6379")?;
/// let layer = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new())
///     .limits(limiter, OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisLimiter {
    script: Arc<ChargeScript>,
    leases: Option<Arc<LeaseTable>>,
}

impl RedisLimiter {
    /// Creates a limiter on `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, which connects at its first
    /// request.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if the URL is none of Redis; not if the server is down.
    pub fn open(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Starts the description of a limiter.
    pub fn builder(url: &str) -> RedisLimiterBuilder {
        RedisLimiterBuilder::new(url)
    }

    /// Keeps the places of simultaneous requests on the same server, over the same connection.
    pub fn concurrency(&self) -> RedisConcurrency {
        RedisConcurrency::new(self.script.connection().clone(), self.script.prefix())
    }

    pub(super) fn new(
        connection: Connection,
        prefix: String,
        on_request_time: bool,
        lease: Option<Lease>,
    ) -> Self {
        let leases = lease.map(|lease| Arc::new(LeaseTable::new(lease)));
        Self { script: Arc::new(ChargeScript::new(connection, prefix, on_request_time)), leases }
    }

    /// Returns the number of accounts whose tokens or refusals are remembered; 0 without leases.
    pub fn held(&self) -> usize {
        self.leases.as_ref().map_or(0, |leases| leases.len())
    }

    /// Waits for what a task tells.
    fn told(told: oneshot::Receiver<LeaseReply>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::later(async move {
            told.await.unwrap_or(Err(Failure::Abandoned)).map_err(LimiterError::new)
        })
    }
}

impl Limiter for RedisLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let Charge { record, quotas, cost, mode, now } = charge;
        if quotas.is_empty() {
            return Reply::now(Ok(Verdict::passed()));
        }
        let script = Arc::clone(&self.script);
        let step = self.leases.as_ref().map(|leases| leases.next_step(&charge));
        let terms = match step {
            Some(NextStep::Answered(verdict)) => return Reply::now(Ok(verdict)),
            Some(NextStep::Waits(told, slot)) => {
                if let (Some(slot), Some(leases)) = (slot, &self.leases) {
                    let flight = Flight::new(Arc::clone(leases), slot);
                    // If it cannot be spawned, it is dropped, and those that wait are told.
                    let _ = script.connection().spawn(flight.run(Arc::clone(&script)));
                }
                return Self::told(told);
            }
            Some(NextStep::Alone) => Terms::Lease { demand: cost, want: 0, shortest: 0 },
            None => Terms::Each,
        };
        let counted = Counted::new(record, quotas);
        let question = Question { cost, mode, now: script.now(now), terms, back: None };
        if mode != ChargeMode::Force {
            return Reply::later(async move {
                script.ask_alone(counted, question).await.map_err(LimiterError::new)
            });
        }
        // The request was served, so it is charged also if nobody waits any more: else whoever hangs up
        // pays nothing.
        let (reply, told) = oneshot::channel();
        let task = {
            let script = Arc::clone(&script);
            async move {
                let _ = reply.send(script.ask_alone(counted, question).await);
            }
        };
        // As above.
        let _ = script.connection().spawn(task);
        Self::told(told)
    }
}

impl fmt::Debug for RedisLimiter {
    /// Leaves the address out, for it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLimiter")
            .field("prefix", &self.script.prefix())
            .finish_non_exhaustive()
    }
}
