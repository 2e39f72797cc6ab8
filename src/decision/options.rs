//! The options of a gate that its policy reads, and what the gate serves.

use crate::error::ConfigError;
use crate::key::KeyHasher;
use crate::limits::{AnonymousQuotas, Plans};
use crate::request::{GrpcServices, TrustedProxies};
use crate::rules::{CompiledScopes, Roles, Routes};

/// The options that the builder sets and the policy reads.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // The switches are independent of each other.
pub(crate) struct PolicyOptions {
    pub(crate) plans: Option<Plans>,
    pub(crate) hasher: KeyHasher,
    pub(crate) proxies: TrustedProxies,
    /// Treats every request as one over HTTPS.
    pub(crate) assume_https: bool,
    /// Admits anonymous requests.
    pub(crate) optional: bool,
    /// The quotas of anonymous requests.
    pub(crate) anonymous_quotas: Option<AnonymousQuotas>,
    /// Admits preflights without a key, or answers them.
    pub(crate) preflight: bool,
}

/// What a gate counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Requests, by quotas of the profile, a plan, an account or a key. Only the store knows the quotas of
    /// accounts and keys.
    pub(crate) requests: bool,
    /// Failed attempts to authenticate, by network.
    pub(crate) failures: bool,
    /// Refunds. True if nothing is counted, because then there is nothing to give back.
    pub(crate) refunds: bool,
}

impl Default for PolicyOptions {
    /// Sets each option to its safest value.
    fn default() -> Self {
        Self {
            plans: None,
            hasher: KeyHasher::sha256(),
            proxies: TrustedProxies::default(),
            assume_https: false,
            optional: false,
            anonymous_quotas: None,
            preflight: false,
        }
    }
}

/// The keys and routes that a gate serves, as configured.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) environment: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) grpc_services: Vec<String>,
    /// Serves nothing but gRPC.
    pub(crate) only_grpc: bool,
    pub(crate) routes: Option<Routes>,
    /// The rules of scopes, or the first mistake in them.
    pub(crate) scopes: Option<Result<CompiledScopes, ConfigError>>,
    pub(crate) roles: Option<Roles>,
}

impl Served {
    /// Takes the gRPC services.
    ///
    /// # Errors
    ///
    /// [`ConfigError::GrpcService`] for a name that is not valid.
    pub(super) fn grpc(&mut self) -> Result<GrpcServices, ConfigError> {
        let named = GrpcServices::new(std::mem::take(&mut self.grpc_services))?;
        Ok(if self.only_grpc { GrpcServices::all() } else { named })
    }
}
