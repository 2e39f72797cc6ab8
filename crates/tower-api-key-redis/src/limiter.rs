//! The limiter of requests in Redis.

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::builder::RedisLimiterBuilder;
use super::concurrency::RedisConcurrency;
use super::connection::Connection;
use super::counted::Counted;
use super::failure::Failure;
use super::lease::{Flight, Lease, LeaseReply, LeaseTable, NextStep};
use super::network::NetworkName;
use super::observer::ChargeWay;
use super::question::{Question, Refunded, Terms};
use super::script::ChargeScript;
use super::servers::Servers;
use super::together;
use tower_api_key::ConfigError;
use tower_api_key::Reply;
use tower_api_key::caller::Caller;
use tower_api_key::key::KeyHasher;
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError, Refund};
use tower_api_key::quota::{AppliedQuotas, Per, Verdict};

/// A limiter that counts requests in Redis (6.2 or newer) or Valkey, for all processes that use the same
/// server.
///
/// Clones share one connection, or one for each primary of a cluster.
///
/// One script charges all windows of a request in one round trip. The server's clock gives the instant of
/// the request. The server counts a request when it runs the script. So the request is charged even if its
/// client hangs up, or the call times out, before the answer comes.
///
/// With a [`Lease`] a node takes tokens in advance. Most requests of a busy account then make no round trip.
///
/// The limiter talks to [one server](Self::builder), to a [cluster](Self::cluster), or to the server that
/// [Sentinels](Self::sentinel) name; with `rediss://` and the feature `tls`, over TLS. All Redis keys of a request lie
/// in one slot of a cluster, so a proxy in front of a cluster works, too. Requests share calls only if the server says that
/// it stands alone; see [`separate_calls`](RedisLimiterBuilder::separate_calls).
///
/// The limiter needs the permissions below. `SELECT` is for a URL that names a database. The third line is for
/// [`concurrency`](Self::concurrency), and the last one for a cluster.
///
/// ```text
/// ACL SETUSER limiter on >PASSWORD ~tower-api-key:* resetchannels -@all
///     +ping +select +evalsha +script|load
///     +time +hmget +hset +hlen +hgetall +hdel +pttl +pexpire
///     +zadd +zcard +zrange +zrem +zremrangebyscore +zscore
///     +cluster|slots +cluster|info
/// ```
///
/// A server may answer that it is a replica, or still loading. The limiter then makes another connection, because the host's name may lead to another server by now. If a server refuses again
/// and again, the limiter makes no call for up to 2 s at a time, as if the server were down.
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
    concurrency: RedisConcurrency,
    network_hasher: KeyHasher,
}

impl RedisLimiter {
    /// Creates a limiter on `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`. The limiter connects at its
    /// first request, so this succeeds while the server is down.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if the URL is not a URL of Redis, or asks for TLS without the feature `tls`.
    pub fn open(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Starts a builder for a limiter on one server: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://…` for
    /// TLS, or `unix:///PATH[?db=DATABASE&user=USER&pass=PASSWORD]`.
    pub fn builder(url: &str) -> RedisLimiterBuilder {
        RedisLimiterBuilder::new(Servers::Single(url.to_owned()))
    }

    /// Returns the limiter of simultaneous requests, on the same server and over the same connection. Every
    /// call returns a clone of the same limiter.
    pub fn concurrency(&self) -> RedisConcurrency {
        self.concurrency.clone()
    }

    /// Returns the way to the servers.
    pub(super) fn connection(&self) -> &Connection {
        self.script.connection()
    }

    pub(super) fn new(
        script: ChargeScript,
        lease: Option<Lease>,
        concurrency: RedisConcurrency,
        network_hasher: KeyHasher,
    ) -> Self {
        let leases = lease.map(|lease| Arc::new(LeaseTable::new(lease)));
        Self { script: Arc::new(script), leases, concurrency, network_hasher }
    }

    /// Returns the number of accounts whose tokens or refusals this node holds; 0 without leases.
    pub fn held(&self) -> usize {
        self.leases.as_ref().map_or(0, |leases| leases.len())
    }

    /// Returns who is counted, and by which quotas.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] for a quota that counts the keys of a network.
    fn counted(
        &self,
        caller: Caller<'_>,
        quotas: AppliedQuotas<'_>,
    ) -> Result<Counted, LimiterError> {
        match caller {
            Caller::Key(record) => Ok(Counted::new(record, quotas)),
            Caller::Network(_) if quotas.count_by(Per::Key) => Err(LimiterError::new(
                "a quota counts by key, and the caller is a network: count by account",
            )),
            Caller::Network(network) => {
                let name = NetworkName::new(*network, &self.network_hasher);
                Ok(Counted::by_network(name, quotas))
            }
        }
    }

    /// Asks a question in a task, which ends even if the client hangs up.
    fn ask_in_task(
        &self,
        counted: Counted,
        question: Question<'static>,
    ) -> Reply<Result<Verdict, LimiterError>> {
        let script = Arc::clone(&self.script);
        let (reply, receiver) = oneshot::channel();
        let task = async move {
            let _ = reply.send(together::ask(script, counted, question).await);
        };
        // Without a runtime the task is dropped, which answers the request.
        let _ = self.script.connection().spawn(task);
        Self::answer_of(receiver)
    }

    /// Waits for the answer of a task.
    fn answer_of(receiver: oneshot::Receiver<LeaseReply>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::later(async move {
            receiver.await.unwrap_or(Err(Failure::Abandoned)).map_err(LimiterError::new)
        })
    }
}

impl Limiter for RedisLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let Charge { caller, quotas, cost, mode, now } = charge;
        if quotas.is_empty() {
            return Reply::now(Ok(Verdict::passed()));
        }
        // Leases are for few busy accounts. Networks would take their room.
        let leases = caller.record().zip(self.leases.as_ref());
        let step = leases.map(|(record, leases)| leases.next_step(record, &charge));
        let way = match &step {
            Some(NextStep::Answered(_)) => ChargeWay::Held,
            Some(NextStep::Waits(_, None)) => ChargeWay::Joined,
            Some(NextStep::Waits(_, Some(_)) | NextStep::Alone) | None => ChargeWay::Called,
        };
        self.script.observe(|observer| observer.charged(way));
        let terms = match step {
            Some(NextStep::Answered(verdict)) => return Reply::now(Ok(verdict)),
            Some(NextStep::Waits(receiver, slot)) => {
                if let (Some(slot), Some(leases)) = (slot, &self.leases) {
                    self.script.observe(|observer| observer.held(leases.len()));
                    let flight = Flight::new(Arc::clone(leases), slot);
                    // Without a runtime the flight is dropped, which answers the waiting requests.
                    let task = flight.run(Arc::clone(&self.script));
                    let _ = self.script.connection().spawn(task);
                }
                return Self::answer_of(receiver);
            }
            Some(NextStep::Alone) => Terms::ALONE,
            None => Terms::Each,
        };
        let counted = match self.counted(caller, quotas) {
            Ok(counted) => counted,
            Err(error) => return Reply::now(Err(error)),
        };
        let (now, back, until, refund) = (self.script.now(now), None, None, None);
        let question = Question { cost, mode, now, terms, back, until, refund };
        if mode != ChargeMode::Force {
            let script = Arc::clone(&self.script);
            return Reply::later(async move {
                together::ask(script, counted, question).await.map_err(LimiterError::new)
            });
        }
        // The request was served. A task charges it even if its client has hung up.
        self.ask_in_task(counted, question)
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let Charge { caller, quotas, .. } = refund.charge;
        // Without the instant by the server's clock it is unknown what still counts. The charge was not made here, or
        // to the networks that count together.
        let Some(taken_at) = refund.verdict.taken_at().filter(|_| !quotas.is_empty()) else {
            let mode = ChargeMode::Peek;
            return self.charge(Charge { cost: 0, mode, now: refund.now, ..refund.charge });
        };
        let counted = match self.counted(caller, quotas) {
            Ok(counted) => counted,
            Err(error) => return Reply::now(Err(error)),
        };
        let terms = match caller.record().and(self.leases.as_ref()) {
            Some(_) => Terms::ALONE,
            None => Terms::Each,
        };
        let untaken = refund.verdict.shadow_refusals().fold(0, |bits, index| bits | 1 << index);
        let question = Question {
            cost: refund.cost.min(refund.charge.cost),
            mode: ChargeMode::Force,
            now: self.script.now(refund.now),
            terms,
            back: None,
            until: None,
            refund: Some(Refunded { taken_at, untaken }),
        };
        self.ask_in_task(counted, question)
    }

    fn give_back_all(&self) -> Reply<Result<(), LimiterError>> {
        let Some(leases) = self.leases.clone() else { return Reply::now(Ok(())) };
        let script = Arc::clone(&self.script);
        Reply::later(async move { leases.give_back_all(&script).await.map_err(LimiterError::new) })
    }
}

impl fmt::Debug for RedisLimiter {
    /// Omits the address, because it may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisLimiter")
            .field("prefix", &self.script.prefix())
            .finish_non_exhaustive()
    }
}
