//! Builder methods for limits: what the layer counts, and what it does while a limiter cannot answer.

use std::sync::Arc;

use super::ApiKeyLayerBuilder;
use crate::attempts::{FailedAttempts, RefusedRequests};
use crate::concurrency::ConcurrencyLimiter;
use crate::limits::{Limiter, Plans};
use crate::quota::OnLimiterFailure;
use crate::service::options::Limits;

impl ApiKeyLayerBuilder {
    /// Counts requests with this limiter. `on_failure` decides about a request while the limiter cannot
    /// answer, for quotas that do not [choose themselves](crate::quota::Quota::with_failure_choice).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::limits::MemoryLimiter;
    /// use tower_api_key::quota::{OnLimiterFailure, Quota};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// const PROFILE: Profile = Profile {
    ///     quotas: &[Quota::new("minute", 100, Duration::from_secs(60))],
    ///     ..Profile::STANDARD
    /// };
    /// let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new())
    ///     .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn limits(mut self, limiter: impl Limiter, on_failure: OnLimiterFailure) -> Self {
        self.options.limits = Limits::Counted(Arc::new(limiter), on_failure);
        self
    }

    /// Sets the plans, whose quotas count for the accounts on them. [`Plans`] has an example.
    pub fn plans(mut self, plans: Plans) -> Self {
        self.policy.plans = Some(plans);
        self
    }

    /// Counts no requests, and ignores the quotas of the profile, routes, plans, accounts and keys.
    pub fn without_limits(mut self) -> Self {
        self.options.limits = Limits::Off;
        self
    }

    /// Sets the limiter of simultaneous requests, in place of the layer's own, which counts in this process.
    /// `on_failure` decides about a request that needs a permit while this limiter cannot answer:
    ///
    /// * [`Deny`](OnLimiterFailure::Deny) refuses the request with 503.
    /// * [`Allow`](OnLimiterFailure::Allow) lets it pass without a permit.
    /// * [`Local`](OnLimiterFailure::Local) takes a permit from this node's share of the limit.
    ///
    /// If layers share a limiter, an account shares its permits on routes with the same methods and pattern. With a
    /// [`MemoryConcurrency`](crate::concurrency::MemoryConcurrency), each layer admits a request by its own limit.
    ///
    /// ```
    /// use tower_api_key::concurrency::MemoryConcurrency;
    /// use tower_api_key::quota::OnLimiterFailure;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let shared = MemoryConcurrency::new();
    /// let one = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .concurrency(shared.clone(), OnLimiterFailure::Deny)
    ///     .build()?;
    /// let other = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .concurrency(shared, OnLimiterFailure::Deny)
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn concurrency(
        mut self,
        limiter: impl ConcurrencyLimiter,
        on_failure: OnLimiterFailure,
    ) -> Self {
        self.options.concurrency = Some(Arc::new(limiter));
        self.options.on_concurrency_failure = Some(on_failure);
        self
    }

    /// Limits the failed attempts to authenticate from each client network. Without a call there is no limit.
    /// [`FailedAttempts`] has an example, and lists which attempts fail.
    pub fn failed_attempts(mut self, attempts: FailedAttempts) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Limits how many requests of one key the rules may refuse. Without a call there is no limit.
    /// [`RefusedRequests`] has an example.
    pub fn refused_requests(mut self, refusals: RefusedRequests) -> Self {
        self.refusals = Some(refusals);
        self
    }
}
