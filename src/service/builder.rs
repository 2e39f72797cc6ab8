//! Configuring a layer; every contradiction is found here, and not by a request.

use std::sync::Arc;

use super::layer::{ApiKeyLayer, Limits, Shared};
use super::observer::{Deaf, Observer};
use crate::clock::{Clock, SystemClock};
use crate::decision::Policy;
use crate::error::ConfigError;
use crate::key::{Environment, KeyHasher};
use crate::limits::{ConcurrencyLimiter, Limiter, OnLimiterFailure};
use crate::profile::Profile;
use crate::request::TrustedProxies;
use crate::response::Renderer;
use crate::rules::Routes;
use crate::store::KeyStore;

/// Collects the configuration of an [`ApiKeyLayer`]. What is not set has its safest value: HTTPS
/// from the connection's own acceptor, no trusted proxy, no request without a key.
#[must_use = "a builder does nothing until it is built"]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct ApiKeyLayerBuilder {
    profile: Profile,
    store: Arc<dyn KeyStore>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    hasher: KeyHasher,
    proxies: TrustedProxies,
    routes: Option<Routes>,
    environment: Option<String>,
    assume_https: bool,
    optional: bool,
    preflight: bool,
    strip_credential: bool,
    leave_grant: bool,
}

impl ApiKeyLayerBuilder {
    pub(super) fn new(profile: &Profile, store: Arc<dyn KeyStore>) -> Self {
        Self {
            profile: *profile,
            store,
            limits: Limits::Unset,
            clock: Arc::new(SystemClock),
            observer: None,
            hasher: KeyHasher::sha256(),
            proxies: TrustedProxies::default(),
            routes: None,
            environment: None,
            assume_https: false,
            optional: false,
            preflight: false,
            strip_credential: false,
            leave_grant: true,
        }
    }

    /// Sets the table of routes. Without one, any living key may do anything; with one, what no
    /// line covers is refused.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Counts requests with a limiter, and chooses what happens while it cannot answer.
    pub fn limits(mut self, limiter: impl Limiter, on_failure: OnLimiterFailure) -> Self {
        self.limits = Limits::Counted(Arc::new(limiter), on_failure);
        self
    }

    /// Counts no requests, whatever quotas the profile, routes, accounts and keys state.
    pub fn without_limits(mut self) -> Self {
        self.limits = Limits::Off;
        self
    }

    /// Believes these proxies on HTTPS and on the client's address; nobody unless set.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Takes every request for one over HTTPS, without proof. Only for a service that nothing but a
    /// TLS-terminating proxy can reach; prefer [`trusted_proxies`](Self::trusted_proxies).
    pub fn assume_https(mut self) -> Self {
        self.assume_https = true;
        self
    }

    /// Serves keys of this environment only; one of another is answered like an unknown key.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Sets how keys are digested: SHA-256, unless set to HMAC-SHA-256 with a pepper.
    pub fn hasher(mut self, hasher: KeyHasher) -> Self {
        self.hasher = hasher;
        self
    }

    /// Reads the time from another clock than the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Tells an observer of refusals, exposed keys, and failures.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Lets requests without any credential pass, without a grant, where the route needs no scope,
    /// kind or account, and counts nothing. A bad credential is refused all the same, and HTTPS is still required.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Lets CORS preflights (`OPTIONS` with `Origin` and `Access-Control-Request-Method`) without a
    /// credential pass, without a grant, to whatever answers `OPTIONS` behind. Unneeded where a CORS layer outside the gate answers them.
    pub fn allow_preflight(mut self) -> Self {
        self.preflight = true;
        self
    }

    /// Removes the credential from the request before the inner service sees it: for gateways,
    /// whose backends have no business with their clients' keys.
    pub fn strip_credential(mut self) -> Self {
        self.strip_credential = true;
        self
    }

    /// Leaves no [`Grant`](crate::Grant) in the request's extensions, which spares an allocation
    /// where no service behind the gate asks who its caller is.
    pub fn without_grant(mut self) -> Self {
        self.leave_grant = false;
        self
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the profile, the routes and the rest cannot be served as they were meant.
    pub fn build(self) -> Result<ApiKeyLayer, ConfigError> {
        let mut policy = Policy::new(&self.profile)?;
        policy.hasher = self.hasher;
        policy.proxies = self.proxies;
        policy.assume_https = self.assume_https;
        policy.optional = self.optional;
        policy.preflight = self.preflight;
        policy.environment = self.environment.map(Environment::new).transpose()?;
        policy.routes = self.routes.map(Routes::compile).transpose()?;
        if policy.has_quotas() && matches!(self.limits, Limits::Unset) {
            return Err(ConfigError::LimiterMissing);
        }
        Ok(ApiKeyLayer::new(Shared {
            renderer: Renderer::new(&self.profile)?,
            policy,
            store: self.store,
            limits: self.limits,
            clock: self.clock,
            observed: self.observer.is_some(),
            observer: self.observer.unwrap_or_else(|| Arc::new(Deaf)),
            places: ConcurrencyLimiter::default(),
            strip_credential: self.strip_credential,
            leave_grant: self.leave_grant,
            name: self.profile.name,
        }))
    }
}
