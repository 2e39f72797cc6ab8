//! Configuring what a layer counts, where, and what it does while a limiter cannot answer.

use std::sync::Arc;

use super::ApiKeyLayerBuilder;
use crate::attempts::{FailedAttempts, RefusedRequests};
use crate::concurrency::ConcurrencyLimiter;
use crate::limits::{Limiter, Plans};
use crate::quota::OnLimiterFailure;
use crate::service::options::Limits;

impl ApiKeyLayerBuilder {
    /// Counts requests with a limiter, and chooses what happens while it cannot answer to requests
    /// under quotas that do not [choose themselves](crate::quota::Quota::with_failure_choice).
    pub fn limits(mut self, limiter: impl Limiter, on_failure: OnLimiterFailure) -> Self {
        self.options.limits = Limits::Counted(Arc::new(limiter), on_failure);
        self
    }

    /// Counts accounts that are on a plan by its quotas; [`Plans`] has an example.
    pub fn plans(mut self, plans: Plans) -> Self {
        self.policy.plans = Some(plans);
        self
    }

    /// Counts no requests, whatever quotas the profile, routes, accounts, plans and keys state.
    pub fn without_limits(mut self) -> Self {
        self.options.limits = Limits::Off;
        self
    }

    /// Keeps the places of simultaneous requests elsewhere than in this process, and chooses what happens
    /// to a request that needs one while they cannot answer: it is refused with 503, passes without one, or
    /// takes one of this node's share.
    /// Layers that share them share the places of an account on routes of the same methods and pattern.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::concurrency::MemoryConcurrency;
    /// use tower_api_key::quota::OnLimiterFailure;
    ///
    /// let places = MemoryConcurrency::new(); // shared by two layers, say
    /// # let builder = || ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new());
    /// let one = builder().concurrency(places.clone(), OnLimiterFailure::Deny).build()?;
    /// let other = builder().concurrency(places, OnLimiterFailure::Deny).build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn concurrency(
        mut self,
        places: impl ConcurrencyLimiter,
        on_failure: OnLimiterFailure,
    ) -> Self {
        self.options.concurrency = Arc::new(places);
        self.options.on_concurrency_failure = on_failure;
        self
    }

    /// Limits the failed attempts to authenticate of each client network; they are not limited unless
    /// set. [`FailedAttempts`] has an example, and says who is refused.
    pub fn failed_attempts(mut self, attempts: FailedAttempts) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Limits the requests of a key that the rules refuse; they are not limited unless set.
    /// [`RefusedRequests`] has an example.
    pub fn refused_requests(mut self, refusals: RefusedRequests) -> Self {
        self.refusals = Some(refusals);
        self
    }
}
