//! Says what the developer configured wrongly; raised while a layer is built, never by a request.

use crate::key::{InvalidFormat, InvalidName, InvalidQuota};

/// Reports a configuration that cannot be served as it was meant.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
///
/// // Persona documents a request limit, so a limiter has to be chosen.
/// let refused = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).build();
/// assert!(matches!(refused, Err(ConfigError::LimiterMissing)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The profile reads no credential at all.
    #[error("the profile names no credential source")]
    NoCredentialSource,
    /// The profile accepts no key format.
    #[error("the profile names no key format")]
    NoKeyFormat,
    /// Two credential sources of one profile read the same scheme or header.
    #[error("two credential sources of the profile read the same {0}")]
    RepeatedCredentialSource(&'static str),
    /// A key format can never match, or can match in two ways.
    #[error(transparent)]
    KeyFormat(#[from] InvalidFormat),
    /// A quota is contradictory.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// A scope, kind or other name has characters it may not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A header name or value in the configuration is not one that HTTP allows.
    #[error("{what} is not valid in an HTTP header")]
    Header {
        /// Which part of the configuration.
        what: &'static str,
    },
    /// A 401 answer has no challenge, which RFC 9110 §15.5.2 requires.
    #[error("the 401 answer `{answer}` of the profile has no challenge")]
    ChallengeMissing {
        /// The row of [`Answers`](crate::response::Answers).
        answer: &'static str,
    },
    /// The answer to a denial is not an error status.
    #[error("the answer `{answer}` of the profile has status {status}, which is no refusal")]
    StatusNotRefusing {
        /// The row of [`Answers`](crate::response::Answers).
        answer: &'static str,
        /// Its status code.
        status: u16,
    },
    /// A path pattern is malformed, or collides with an earlier one.
    #[error("route pattern `{pattern}`: {source}")]
    Route {
        /// The pattern as configured.
        pattern: String,
        /// What the matcher says.
        source: matchit::InsertError,
    },
    /// The same method and path pattern appear twice.
    #[error("route pattern `{pattern}` is listed twice for one method")]
    RouteRepeated {
        /// The pattern as configured.
        pattern: String,
    },
    /// A route takes its target account from a parameter that its pattern does not have.
    #[error("route pattern `{pattern}` has no parameter `{parameter}`")]
    RouteParameter {
        /// The pattern as configured.
        pattern: String,
        /// The parameter that the route asks for.
        parameter: &'static str,
    },
    /// A route limits simultaneous requests to none.
    #[error("route pattern `{pattern}` admits no request at once")]
    RouteConcurrency {
        /// The pattern as configured.
        pattern: String,
    },
    /// The list of trusted proxies names no network, so that it trusts nobody.
    #[error(
        "the list of trusted proxies has no network: name those of the proxies, say \
         `TrustedProxies::unix_socket`, or leave `trusted_proxies` out to trust nobody"
    )]
    NoTrustedNetwork,
    /// The trusted proxies are everybody on the internet.
    #[error(
        "the networks of the trusted proxies ({networks}) leave nobody on the {internet} internet out: name \
         the proxies' own networks, or say `TrustedProxies::insecure_whole_internet`"
    )]
    TrustedInternet {
        /// `IPv4` or `IPv6`.
        internet: &'static str,
        /// The networks as configured, the first four of them.
        networks: String,
    },
    /// The address of Redis, or what is to be said to it, cannot be used. The text is not repeated, for
    /// it may hold a password.
    #[error("the limiter in Redis: {0}")]
    Redis(&'static str),
    /// A prefix that failed attempts are counted by is none, or puts all clients into one network.
    #[error("failed attempts are counted by a prefix of 1 to {bits} bits, and not of {length}")]
    AttemptPrefix {
        /// The length as configured, in bits.
        length: u8,
        /// The bits of an address.
        bits: u8,
    },
    /// A request of a route costs more than a quota of the route ever allows.
    #[error("route pattern `{pattern}` costs more than its quota `{quota}` allows")]
    RouteCost {
        /// The pattern as configured.
        pattern: String,
        /// The name of the quota.
        quota: String,
    },
    /// An origin is not written as browsers write it, so that no preflight would ever name it.
    #[error(
        "`{origin}` is no origin: write a scheme and a host in lower case, and nothing behind them"
    )]
    Origin {
        /// The origin as configured.
        origin: String,
    },
    /// A list of alternatives is empty, so that no key could ever meet it.
    #[error(
        "{place}: `{list}` lists nothing, so no key could serve; name one, or leave `{list}` out"
    )]
    NoAlternative {
        /// The route or the credential source.
        place: String,
        /// The method that was given the list.
        list: &'static str,
    },
    /// Handlers are to add to the cost through a grant that they do not get.
    #[error("a route is metered, but no grant is left to add a cost through")]
    MeteredWithoutGrant,
    /// A quota is configured, but nothing counts it.
    #[error("quotas are configured, but no limiter: name one, or say `without_limits`")]
    LimiterMissing,
}
