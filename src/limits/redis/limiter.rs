//! The limiter.

use std::fmt;
use std::sync::Arc;

use super::super::limiter::{Charge, Limiter, LimiterError};
use super::super::standing::Verdict;
use super::answer::Answer;
use super::builder::RedisLimiterBuilder;
use super::connection::Connection;
use super::failure::Failure;
use super::question::{Question, Terms};
use crate::error::ConfigError;
use crate::eventually::Eventually;

/// Counts requests in Redis (6.2 or newer) or Valkey, for all processes that use the same server.
/// Clones share one connection.
///
/// All windows of a request are charged by one script in one round trip. The instant of a request is the
/// server's when it runs the script. A request is counted when its script runs: one whose client, or
/// whose patience, ends before the answer comes was still charged.
///
/// It speaks to one server. The keys of a request lie in one slot of a cluster, for a proxy in front of
/// one.
///
/// ```
/// use tower_api_key::limits::{OnLimiterFailure, RedisLimiter};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, vendors};
///
/// let limiter = RedisLimiter::connect("redis://127.0.0.1:6379")?;
/// let layer = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new())
///     .limits(limiter, OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisLimiter(Arc<Inner>);

struct Inner {
    connection: Connection,
    prefix: String,
    on_request_time: bool,
}

impl RedisLimiter {
    /// Creates a limiter on `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, which connects at its first
    /// request.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if the URL is none of Redis; not if the server is down.
    pub fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Starts the description of a limiter.
    pub fn builder(url: &str) -> RedisLimiterBuilder {
        RedisLimiterBuilder::new(url)
    }

    pub(super) fn new(connection: Connection, prefix: String, on_request_time: bool) -> Self {
        Self(Arc::new(Inner { connection, prefix, on_request_time }))
    }
}

impl Inner {
    /// Asks the server.
    fn ask(
        &self,
        charge: Charge<'_>,
        terms: Terms,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send + use<> {
        let question = Question { charge, now: self.on_request_time.then_some(charge.now), terms };
        let mut command = self.connection.command();
        question.write(&mut command, &self.prefix);
        let (asked, how) = (question.asked(), (charge.cost, charge.taking, terms));
        let connection = self.connection.clone();
        async move { Answer::read(&connection.call(&command).await?, &asked, how) }
    }
}

impl Limiter for RedisLimiter {
    fn charge(&self, charge: Charge<'_>) -> Eventually<Result<Verdict, LimiterError>> {
        if charge.quotas.is_empty() {
            return Eventually::now(Ok(Verdict::passed()));
        }
        let answer = self.0.ask(charge, Terms::Each);
        Eventually::later(async move {
            answer.await.map(|answer| answer.verdict).map_err(LimiterError::new)
        })
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
