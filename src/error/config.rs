//! Says what the developer configured wrongly; raised while a layer is built, never by a request.

use crate::key::{InvalidFormat, InvalidName};
use crate::quota::InvalidQuota;

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
    #[error(
        "the profile's field `credentials` names no source: add one, as `CredentialSource::bearer()`"
    )]
    NoCredentialSource,
    /// The profile accepts no key format.
    #[error("the profile's field `formats` names no key format: add one, as `KeyFormat::hex(40)`")]
    NoKeyFormat,
    /// Two credential sources of one profile read the same scheme or header. A request with it would have
    /// two credentials.
    #[error("the profile's field `credentials` reads `{0}` twice: keep one of the two sources")]
    RepeatedCredentialSource(String),
    /// A credential source can carry no key at all, or keys of no kind.
    #[error("the profile's field `credentials`: {source_name}: {problem}")]
    CredentialSource {
        /// The source.
        source_name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// No source of the profile can carry the keys of a format.
    #[error(
        "the profile's field `formats`: no source in `credentials` can carry a key of the form \
        `{pattern}`: {problem}"
    )]
    FormatNotCarried {
        /// The format, as a regular expression.
        pattern: String,
        /// What each source carries, and what to do.
        problem: String,
    },
    /// A key format can never match, or can match in two ways.
    #[error("the profile's field `formats`: `{}`: {source}", visible(.pattern))]
    KeyFormat {
        /// The format, as a regular expression.
        pattern: String,
        /// What is wrong with it.
        source: InvalidFormat,
    },
    /// The gate is pinned to an environment that no key of the profile can name.
    #[error(
        "environment `{}`: every format in the profile's field `formats` names an environment, but none \
        this one: pin the gate to one of {known}, or add it to a format", .environment.escape_debug()
    )]
    EnvironmentUnknown {
        /// The environment as configured.
        environment: String,
        /// The environments of the formats.
        known: String,
    },
    /// A quota is contradictory.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// A scope, kind or other name has characters it may not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A header name or value in the configuration is not one that HTTP allows, or not one to be set here.
    #[error("{what} `{}`: {problem}", .value.escape_debug())]
    Header {
        /// Which part of the configuration.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// A required header is demanded so that no request can have it.
    #[error("the profile's field `required_headers`: `{name}`: {problem}")]
    RequiredHeader {
        /// The header.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A 401 answer has no challenge, which RFC 9110 §15.5.2 requires.
    #[error(
        "the 401 answer `{answer}` of the profile has no challenge: add one with `Answer::challenge`"
    )]
    ChallengeMissing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
    },
    /// The answer to a denial is not an error status.
    #[error(
        "the answer `{answer}` of the profile has status {status}, which is no refusal: \
        choose one of 400 to 599"
    )]
    StatusNotRefusing {
        /// The row of [`Answers`](crate::profile::Answers).
        answer: &'static str,
        /// Its status code.
        status: u16,
    },
    /// A path pattern is malformed, or collides with an earlier one.
    #[error("route pattern `{}`: {problem}", .pattern.escape_debug())]
    Route {
        /// The pattern as configured.
        pattern: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// A path pattern is one that axum refuses, or that no path can match.
    #[error("route pattern `{}`: {problem}", .pattern.escape_debug())]
    RoutePattern {
        /// The pattern as configured.
        pattern: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// The same method and path pattern appear twice.
    #[error(
        "route pattern `{}` is listed twice for one method: keep one of the two lines",
        .pattern.escape_debug()
    )]
    RouteRepeated {
        /// The pattern as configured.
        pattern: String,
    },
    /// A route takes its target account from a parameter that its pattern does not have.
    #[error(
        "route pattern `{pattern}` has no parameter `{shown}` to take the account from: \
        write `{{{shown}}}` where the account stands", shown = .parameter.escape_debug()
    )]
    RouteParameter {
        /// The pattern as configured.
        pattern: String,
        /// The parameter that the route asks for.
        parameter: String,
    },
    /// A route needs a scope or a kind of key that no key can have, or that no credential source carries; or a
    /// quota of it cannot be counted.
    #[error("route pattern `{pattern}`, field `{field}`, value `{}`: {problem}", .value.escape_debug())]
    RouteNeed {
        /// The pattern as configured.
        pattern: String,
        /// The field of the route.
        field: &'static str,
        /// What it lists.
        value: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A route limits simultaneous requests to none.
    #[error(
        "route pattern `{pattern}`, field `concurrency`: 0 requests are admitted at once: \
        write 1 or more, or leave the route out of the table"
    )]
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
    /// A route gives its service no time to answer.
    #[error(
        "route pattern `{pattern}`, field `budget`: within 0 seconds no service can answer: \
        write a longer time, or leave the budget out"
    )]
    RouteBudget {
        /// The pattern as configured.
        pattern: String,
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
    /// More is to be remembered than fits into memory, which is taken at once.
    #[error("at most {most} {what} are remembered, and not {asked}: name fewer")]
    TooManyRemembered {
        /// What is remembered.
        what: &'static str,
        /// The number as configured.
        asked: usize,
        /// The most that can be.
        most: usize,
    },
    /// A request of a route costs more than a quota ever allows.
    #[error(
        "route pattern `{pattern}`, field `cost`: {cost} is more than the quota `{quota}` ever allows, \
        which is {limit}: lower the cost, or raise the quota"
    )]
    RouteCost {
        /// The pattern as configured.
        pattern: String,
        /// The cost of a request.
        cost: u32,
        /// The name of the quota.
        quota: String,
        /// The limit of the quota.
        limit: u32,
    },
    /// An origin is not written as browsers write it, so that no preflight would ever name it.
    #[error(
        "`{}` is no origin: write a scheme and a host in lower case, as `https://app.example.com`, a port only \
        if it is not the scheme's own, and nothing behind them", .origin.escape_debug()
    )]
    Origin {
        /// The origin as configured.
        origin: String,
    },
    /// A list of alternatives is empty, so that no key could ever meet it.
    #[error(
        "{place}: `{list}` lists nothing, so that nothing could serve; name one, or leave `{list}` out"
    )]
    NoAlternative {
        /// The route or the credential source.
        place: String,
        /// The method that was given the list.
        list: &'static str,
    },
    /// Handlers are to add to the cost through a grant that they do not get.
    #[error(
        "a route is `metered`, but `without_grant` leaves handlers none to add a cost through: leave one of \
         the two out"
    )]
    MeteredWithoutGrant,
    /// A quota is configured, but nothing counts it.
    #[error("quotas are configured, but no limiter: name one, or say `without_limits`")]
    LimiterMissing,
}

/// Escapes what is no visible ASCII. The backslashes of a regular expression stay as they are.
fn visible(pattern: &str) -> String {
    let plain = |character: char| character.is_ascii_graphic() || character == ' ';
    pattern.chars().fold(String::new(), |text, character| {
        if plain(character) {
            text + character.encode_utf8(&mut [0; 4])
        } else {
            text + &character.escape_default().to_string()
        }
    })
}
