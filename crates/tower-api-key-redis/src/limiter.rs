//! The limiter.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::answer::Answer;
use super::builder::RedisLimiterBuilder;
use super::concurrency::RedisConcurrency;
use super::connection::{Call, Connection};
use super::failure::Failure;
use super::flight::Flight;
use super::holdings::{Course, Holdings, Told};
use super::lease::Lease;
use super::question::{Counted, Question, Terms};
use super::script;
use tower_api_key::ConfigError;
use tower_api_key::Reply;
use tower_api_key::clock::Timestamp;
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
pub struct RedisLimiter(Arc<Inner>);

pub(super) struct Inner {
    connection: Connection,
    script: redis::Script,
    prefix: String,
    on_request_time: bool,
    holdings: Option<Arc<Holdings>>,
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
        RedisConcurrency::new(self.0.connection.clone(), &self.0.prefix)
    }

    pub(super) fn new(
        connection: Connection,
        prefix: String,
        on_request_time: bool,
        lease: Option<Lease>,
    ) -> Self {
        let holdings = lease.map(|lease| Arc::new(Holdings::new(lease)));
        Self(Arc::new(Inner {
            connection,
            script: script::charge(),
            prefix,
            on_request_time,
            holdings,
        }))
    }

    /// Returns the number of accounts whose tokens or refusals are remembered; 0 without leases.
    pub fn held(&self) -> usize {
        self.0.holdings.as_ref().map_or(0, |holdings| holdings.len())
    }

    /// Waits for what a task tells.
    fn told(told: oneshot::Receiver<Told>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::later(async move {
            told.await.unwrap_or(Err(Failure::Abandoned)).map_err(LimiterError::new)
        })
    }
}

impl Inner {
    /// Returns the instant of a request, if the server's does not count.
    pub(super) fn now(&self, now: Timestamp) -> Option<Timestamp> {
        self.on_request_time.then_some(now)
    }

    /// Asks the server.
    pub(super) async fn ask(
        &self,
        counted: &Counted,
        question: &Question<'_>,
    ) -> Result<Answer, Failure> {
        let mut call = Call::new(&self.script);
        counted.ask(question, &mut call.command, &self.prefix);
        // What is given back twice would be spent twice.
        call.once = question.back.is_some();
        Answer::read(&self.connection.call(&call).await?, counted, question)
    }

    /// Charges a request by itself.
    async fn ask_alone(
        &self,
        counted: Counted,
        question: Question<'_>,
    ) -> Result<Verdict, Failure> {
        self.ask(&counted, &question).await.map(|answer| answer.verdict)
    }
}

impl Limiter for RedisLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let Charge { record, quotas, cost, mode, now } = charge;
        if quotas.is_empty() {
            return Reply::now(Ok(Verdict::passed()));
        }
        let inner = Arc::clone(&self.0);
        let course = inner.holdings.as_ref().map(|holdings| holdings.course(&charge));
        let terms = match course {
            Some(Course::Answered(verdict)) => return Reply::now(Ok(verdict)),
            Some(Course::Waits(told, slot)) => {
                if let (Some(slot), Some(holdings)) = (slot, &inner.holdings) {
                    let flight = Flight::new(Arc::clone(holdings), slot);
                    // If it cannot be spawned, it is dropped, and those that wait are told.
                    let _ = inner.connection.spawn(flight.run(Arc::clone(&inner)));
                }
                return Self::told(told);
            }
            Some(Course::Alone) => Terms::Lease { demand: cost, want: 0, shortest: 0 },
            None => Terms::Each,
        };
        let counted = Counted::new(record, quotas);
        let question = Question { cost, mode, now: inner.now(now), terms, back: None };
        if mode != ChargeMode::Force {
            return Reply::later(async move {
                inner.ask_alone(counted, question).await.map_err(LimiterError::new)
            });
        }
        // The request was served, so it is charged also if nobody waits any more: else whoever hangs up
        // pays nothing.
        let (reply, told) = oneshot::channel();
        let task = {
            let inner = Arc::clone(&inner);
            async move {
                let _ = reply.send(inner.ask_alone(counted, question).await);
            }
        };
        // As above.
        let _ = inner.connection.spawn(task);
        Self::told(told)
    }
}

impl fmt::Debug for RedisLimiter {
    /// Leaves the address out, for it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLimiter")
            .field("prefix", &self.0.prefix)
            .finish_non_exhaustive()
    }
}
