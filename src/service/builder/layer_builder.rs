//! The builder of a layer: what it holds, and what it makes of that.

use std::sync::Arc;

use crate::attempts::{Alarms, FailedAttempts, RefusedRequests};
use crate::concurrency::MemoryConcurrency;
use crate::decision::{CompiledProfile, Counts, Policy, PolicyOptions, Served};
use crate::error::ConfigError;
use crate::limits::FallbackLimiter;
use crate::profile::Profile;
use crate::response::Renderer;
use crate::service::layer::ApiKeyLayer;
use crate::service::options::{GateOptions, Limits};
use crate::service::preflight::Preflight;
use crate::service::shared::Shared;
use crate::store::KeyStore;

/// Collects the configuration of an [`ApiKeyLayer`]. What is not set has its safest value: HTTPS
/// from the connection's own acceptor, no trusted proxy, no request without a key.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
///
/// let builder = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new());
/// let refused = builder.without_limits().environment("").build();
/// assert!(matches!(refused, Err(ConfigError::Name(_))), "found before any request came");
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ApiKeyLayerBuilder {
    name: Box<str>,
    // What the profile describes, owned, or what is wrong with it.
    profile: Result<CompiledProfile, ConfigError>,
    renderer: Result<Renderer, ConfigError>,
    pub(super) policy: PolicyOptions,
    pub(super) served: Served,
    pub(super) options: GateOptions,
    pub(super) attempts: Option<FailedAttempts>,
    pub(super) refusals: Option<RefusedRequests>,
    pub(super) preflight: Option<Preflight>,
}

impl ApiKeyLayerBuilder {
    pub(crate) fn new(profile: &Profile<'_>, store: Arc<dyn KeyStore>) -> Self {
        Self {
            name: profile.name.into(),
            profile: CompiledProfile::new(profile),
            renderer: Renderer::new(profile),
            policy: PolicyOptions::default(),
            served: Served::default(),
            options: GateOptions::new(store),
            attempts: None,
            refusals: None,
            preflight: None,
        }
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the profile, the routes and the rest cannot be served as they were meant.
    pub fn build(self) -> Result<ApiKeyLayer, ConfigError> {
        let Self {
            name,
            profile,
            renderer,
            policy,
            served,
            options,
            attempts,
            refusals,
            preflight,
        } = self;
        let optional = policy.optional;
        let counts = Counts {
            requests: matches!(options.limits, Limits::Counted(..)),
            failures: attempts.is_some(),
        };
        let policy = Policy::new(profile?, policy, served, counts)?;
        if policy.has_quotas() && matches!(options.limits, Limits::Unset) {
            return Err(ConfigError::LimiterMissing);
        }
        policy.check()?;
        if policy.is_metered() && !options.leave_grant {
            return Err(ConfigError::MeteredWithoutGrant);
        }
        let prepare = |preflight: Preflight| preflight.prepare(policy.header_names().cloned());
        let alarms = options.observer.as_ref().map(|_| Alarms::new(attempts.as_ref()));
        let preflight = preflight.map(prepare).transpose()?;
        let renderer = renderer?;
        Ok(ApiKeyLayer::new(Shared {
            preflight,
            renderer: if optional { renderer.let_strangers_in() } else { renderer },
            alarms,
            refusals: refusals.map(RefusedRequests::build).transpose()?,
            attempts: attempts.map(FailedAttempts::build).transpose()?,
            fallback: FallbackLimiter::default(),
            local_concurrency: MemoryConcurrency::new(),
            name,
            policy,
            options,
        }))
    }
}
