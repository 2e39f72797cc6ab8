//! The builder of a layer: its fields, and how it builds the layer.

use std::sync::Arc;

use crate::attempts::{FailedAttempts, RefusedRequests};
use crate::decision::{CompiledProfile, CounterOfLayer, Counts, Policy, PolicyOptions, Served};
use crate::error::ConfigError;
use crate::profile::Profile;
use crate::response::{BodyFunction, Renderer};
use crate::service::forward_auth;
use crate::service::layer::ApiKeyLayer;
use crate::service::layer_counts::LayerCounts;
use crate::service::options::{GateOptions, Limits};
use crate::service::preflight::Preflight;
use crate::service::selected_protocol::SelectedProtocol;
use crate::service::shared::Shared;
use crate::store::KeyStore;

/// The configuration of an [`ApiKeyLayer`].
///
/// Each option starts with its safest value: only this server's own TLS proves HTTPS, no proxy is trusted,
/// and every request needs a key. No option fails when it is set: [`build`](Self::build) reports the first
/// mistake.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile, store::MemoryStore};
///
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let refused = builder.environment("").build();
/// assert!(matches!(refused, Err(ConfigError::Name(_))));
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct ApiKeyLayerBuilder {
    name: Box<str>,
    // The owned profile, or the first mistake in it.
    profile: Result<CompiledProfile, ConfigError>,
    renderer: Result<Renderer, ConfigError>,
    pub(super) policy: PolicyOptions,
    pub(super) served: Served,
    pub(super) options: GateOptions,
    pub(super) attempts: Option<FailedAttempts>,
    pub(super) refusals: Option<RefusedRequests>,
    pub(super) preflight: Option<Preflight>,
    pub(super) body: Option<BodyFunction>,
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
            body: None,
        }
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first part of the profile, the routes or the options that is not valid, or
    /// that contradicts another part.
    pub fn build(self) -> Result<ApiKeyLayer, ConfigError> {
        self.build_with(None)
    }

    /// Builds the layer, which takes over the state of the previous one.
    pub(super) fn build_with(self, previous: Option<&Shared>) -> Result<ApiKeyLayer, ConfigError> {
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
            body,
        } = self;
        let optional = policy.optional;
        let counts = Counts {
            requests: matches!(options.limits, Limits::Counted(..)),
            failures: attempts.is_some(),
            refunds: match &options.limits {
                Limits::Counted(limiter, _) => limiter.refunds(),
                Limits::Unset | Limits::Off => true,
            },
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
        let preflight = preflight.map(prepare).transpose()?;
        let mut renderer = renderer?.with_bodies(body);
        policy.check_quotas(|quotas| renderer.check_quotas(quotas))?;
        if options.takes_request_ids {
            if renderer.request_ids().is_none() {
                return Err(ConfigError::RequestIdHeaderMissing);
            }
            if !policy.proxies().trust_any() {
                return Err(ConfigError::NoTrustedNetwork);
            }
        }
        let websocket_protocol = options.websocket_protocol.as_deref();
        let select = |protocol| SelectedProtocol::new(protocol, &policy);
        let websocket_protocol = websocket_protocol.map(select).transpose()?;
        if let Some(original) = &options.original {
            forward_auth::check(original, &policy, &mut renderer, websocket_protocol.is_some())?;
        }
        let has_observer = !options.observers.is_empty();
        if let (Some(rehasher), Some(_)) = (&options.rehasher, policy.pepper()) {
            rehasher.begin();
        }
        let previous = previous.map(|shared| (&shared.counted, options.clock.now()));
        let counted = LayerCounts::new(attempts, refusals, has_observer, previous)?;
        Ok(ApiKeyLayer::new(Arc::new(Shared {
            preflight,
            renderer: if optional { renderer.admit_anonymous() } else { renderer },
            counted,
            websocket_protocol,
            name,
            counter: CounterOfLayer::default(),
            policy,
            options,
        })))
    }
}
