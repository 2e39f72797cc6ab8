//! The options of a gate that its policy reads.

use crate::key::KeyHasher;
use crate::limits::Plans;
use crate::request::TrustedProxies;

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
    /// Treats gRPC calls as other requests.
    pub(crate) http_only: bool,
    /// Admits preflights without a key, or answers them.
    pub(crate) preflight: bool,
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
            http_only: false,
            preflight: false,
        }
    }
}
