//! Mistakes in the configuration of a gate: found while the gate is built, never by a request.

use super::escaped::visible;
use super::invalid_path_answers::InvalidPathAnswers;
use super::invalid_route::InvalidRoute;
use crate::key::{InvalidFormat, InvalidName, InvalidNetwork};
use crate::quota::InvalidQuota;

/// A mistake in the configuration of a gate.
///
/// [`build`](crate::ApiKeyLayerBuilder::build) returns the first mistake that it finds. The text
/// names the field and the remedy.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
///
/// // This profile has a quota, so the layer needs a limiter.
/// let refused = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).build();
/// assert!(matches!(refused, Err(ConfigError::LimiterMissing)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The profile reads no credential.
    #[error(
        "the profile's field `credentials` names no source: add one, as `CredentialSource::bearer()`"
    )]
    NoCredentialSource,
    /// The profile accepts no key format.
    #[error("the profile's field `formats` names no key format: add one, as `KeyFormat::hex(40)`")]
    NoKeyFormat,
    /// Two credential sources of the profile read the same scheme or header. A request that uses it would
    /// carry two credentials.
    #[error("the profile's field `credentials` reads `{0}` twice: keep one of the two sources")]
    RepeatedCredentialSource(String),
    /// A credential source can carry no key, lists a kind that no key can have, has a name that clients cannot send,
    /// or allows equal keys without a second source.
    #[error("the profile's field `credentials`: {source_name}: {problem}")]
    CredentialSource {
        /// The source.
        source_name: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// No credential source of the profile can carry the keys of a format.
    #[error(
        "the profile's field `formats`: no source in `credentials` can carry a key of the form \
        `{pattern}`: {problem}"
    )]
    FormatNotCarried {
        /// The format, as a regular expression.
        pattern: String,
        /// What each source can carry, and the remedy.
        problem: String,
    },
    /// A key format never matches, or matches one text in two ways.
    #[error("the profile's field `formats`: `{}`: {source}", visible(.pattern))]
    KeyFormat {
        /// The format, as a regular expression.
        pattern: String,
        /// The problem.
        source: InvalidFormat,
    },
    /// The gate accepts keys of one environment, and no key format of the profile can name it.
    #[error(
        "environment `{}`: every format in the profile's field `formats` lists its environments, and none \
        lists this one: set one of {known}, or add it to a format", .environment.escape_debug()
    )]
    EnvironmentUnknown {
        /// The environment as configured.
        environment: String,
        /// The environments that the formats list.
        known: String,
    },
    /// The settings of a replica contradict each other.
    #[error("the replica's `{field}`: {problem}")]
    Replica {
        /// The setting.
        field: &'static str,
        /// The problem and its remedy.
        problem: String,
    },
    /// A quota is not valid.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// A scope, a kind or another name has characters that it must not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A network that the configuration lists is not valid.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// HTTP does not allow a configured header name or value, or the header cannot be set here.
    #[error("{what} `{}`: {problem}", .value.escape_debug())]
    Header {
        /// The part of the configuration.
        what: &'static str,
        /// The value as configured.
        value: String,
        /// The problem and its remedy.
        problem: &'static str,
    },
    /// No request can satisfy a required header.
    #[error("the profile's field `required_headers`: `{name}`: {problem}")]
    RequiredHeader {
        /// The name of the header.
        name: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A 401 answer has no challenge. RFC 9110 §15.5.2 requires one.
    #[error(
        "the 401 answer `{answer}` of the profile has no challenge: add one with `Answer::challenge`"
    )]
    ChallengeMissing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
    },
    /// The answer to a denial does not have an error status.
    #[error(
        "the answer `{answer}` of the profile has status {status}, which is no error status: set one from \
        400 to 599, or use `Answer::insecure_success` if the vendor refuses with 200"
    )]
    StatusNotRefusing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
        /// The status code.
        status: u16,
    },
    /// A path prefix with answers of its own is not valid, or one of its answers is not.
    #[error(transparent)]
    PathAnswers(#[from] InvalidPathAnswers),
    /// An answer has a header that HTTP or the profile does not allow, or a placeholder that the row cannot fill.
    #[error("the answer `{answer}` of the profile, {part}: {problem}")]
    Answer {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
        /// The header, or the placeholder.
        part: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A row of the route table is not valid.
    #[error(transparent)]
    Route(#[from] InvalidRoute),
    /// The rules of scopes have a separator or a name that is not valid, or contradict themselves.
    #[error("`ScopeRules`, field `{field}`, value `{}`: {problem}", .value.escape_debug())]
    ScopeRules {
        /// The field of [`ScopeRules`](crate::rules::ScopeRules).
        field: &'static str,
        /// The value in that field.
        value: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// This is no name of a gRPC service.
    #[error(
        "the gRPC service `{}`: write its full name as the `.proto` file has it, such as `vendors.v1.Users`",
        .name.escape_debug()
    )]
    GrpcService {
        /// The name.
        name: String,
    },
    /// The list of trusted proxies names no network, so it trusts no proxy.
    #[error(
        "the list of trusted proxies has no network: list the networks of the proxies, use \
         `TrustedProxies::unix_socket`, or remove the call of `trusted_proxies` or `request_id_from_proxies`"
    )]
    NoTrustedNetwork,
    /// Request ids are taken from proxies, but the profile names no header that has them.
    #[error(
        "`request_id_from_proxies` has no header to read: set the profile's field `request_id`, or remove the call"
    )]
    RequestIdHeaderMissing,
    /// The networks of the trusted proxies cover the whole internet.
    #[error(
        "the networks of the trusted proxies ({networks}) cover the whole {internet} internet: list the \
         proxies' own networks, or use `TrustedProxies::insecure_whole_internet`"
    )]
    TrustedInternet {
        /// `IPv4` or `IPv6`.
        internet: &'static str,
        /// The first four networks as configured.
        networks: String,
    },
    /// The address or the options for Redis are not valid. The text omits both: an address may hold a password.
    #[error("the limiter in Redis: {0}")]
    Redis(&'static str),
    /// The prefix length by which clients are counted is 0 bits, or more than an address has.
    #[error("`{method}`: {length} bits is no prefix of an address: set 1 to {bits} bits")]
    NetworkPrefix {
        /// The method that set the length.
        method: &'static str,
        /// The length as configured, in bits.
        length: u8,
        /// The length of an address, in bits.
        bits: u8,
    },
    /// The limiter that counts failed attempts for all processes gives nothing back, so each valid key would count as
    /// failed.
    #[error(
        "the limiter of `FailedAttempts::counted_by` gives nothing back: use one whose `Limiter::refunds` is true"
    )]
    AttemptsNotGivenBack,
    /// A file has failed attempts counted for all processes, but the program hands in no limiter that counts them.
    #[error(
        "`failed_attempts.shared_on_failure` needs a limiter: hand one in with `Backends::limiter`, or remove the field"
    )]
    AttemptsLimiterMissing,
    /// A table of fixed size, which is allocated when the layer is built, would not fit into memory.
    #[error("{asked} {what} do not fit into memory: set at most {most}")]
    TooManyRemembered {
        /// What the table holds.
        what: &'static str,
        /// The number as configured.
        asked: usize,
        /// The largest number that can be set.
        most: usize,
    },
    /// An origin is not written as browsers write it, so no preflight would match it.
    #[error(
        "the preflight origin `{}` is not one that browsers send: write a scheme and a host in lower case, as \
        `https://app.example.com`, a port only if it is not the scheme's default, and no path", .origin.escape_debug()
    )]
    Origin {
        /// The origin as configured.
        origin: String,
    },
    /// A list of alternatives is empty, so no request could satisfy it.
    #[error(
        "{place}: the list in `{list}` is empty: list at least one value, or leave `{list}` out"
    )]
    NoAlternative {
        /// The route, the credential source or the preflight answer.
        place: String,
        /// The method that was called with the empty list.
        list: &'static str,
    },
    /// A route is metered, but the gate leaves its handler no grant to add a cost through.
    #[error(
        "a route is `metered`, but with `without_grant` its handler has no grant to add a cost through: \
         remove one of the two calls"
    )]
    MeteredWithoutGrant,
    /// Quotas of requests without a key cannot be counted, or limit a route that such requests never reach.
    #[error("the anonymous quotas of {place}: {problem}")]
    AnonymousQuotas {
        /// The builder's method, or the route.
        place: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A layer that shapes responses changes nothing, or cannot do what it is asked for.
    #[error("shaping, field `{field}`: {problem}")]
    Shaping {
        /// The field of the builder.
        field: &'static str,
        /// The problem and its remedy.
        problem: String,
    },
    /// A gate that decides for a proxy has a rule that forward auth cannot keep.
    #[error("forward auth, {part}: {problem}")]
    ForwardAuth {
        /// The part of the configuration.
        part: &'static str,
        /// The problem and its remedy.
        problem: &'static str,
    },
    /// A quota is configured, but no limiter to count it.
    #[error("quotas are configured, but no limiter: call `limits`, or call `without_limits`")]
    LimiterMissing,
}

impl ConfigError {
    /// Returns the row of answers that the error is about.
    pub(crate) const fn row(&self) -> Option<&'static str> {
        match self {
            Self::Answer { answer, .. }
            | Self::ChallengeMissing { answer }
            | Self::StatusNotRefusing { answer, .. } => Some(*answer),
            _ => None,
        }
    }
}
