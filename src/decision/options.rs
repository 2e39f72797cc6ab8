//! The options of a gate that decide what its policy says.

use crate::key::KeyHasher;
use crate::limits::Plans;
use crate::request::TrustedProxies;

/// Holds what the builder sets and the policy reads, from the first setter to the last request.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub(crate) struct PolicyOptions {
    pub(crate) plans: Option<Plans>,
    pub(crate) hasher: KeyHasher,
    pub(crate) proxies: TrustedProxies,
    /// Takes every request for one over HTTPS.
    pub(crate) assume_https: bool,
    /// Lets requests without a key pass.
    pub(crate) optional: bool,
    /// Lets preflights without a key pass, or answers them.
    pub(crate) preflight: bool,
}

impl Default for PolicyOptions {
    /// Has the safest value of each.
    fn default() -> Self {
        Self {
            plans: None,
            hasher: KeyHasher::sha256(),
            proxies: TrustedProxies::default(),
            assume_https: false,
            optional: false,
            preflight: false,
        }
    }
}
