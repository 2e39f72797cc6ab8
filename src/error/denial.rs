//! The reasons to refuse a request, with their facts.
//!
//! A vendor's answer to each reason is data: one row of [`Answers`](crate::profile::Answers). A refusal
//! carries its denial in the response's extensions. So outer layers can log and count reasons that the
//! client must not tell apart.

use std::time::Duration;

use http::HeaderName;

use super::needed_scopes::NeededScopes;

/// The reason why a gate refused a request.
///
/// Every refusal has its denial in the response's extensions, for logs and metrics. Do not show it to
/// the client: some reasons must look alike from outside.
///
/// A new kind of denial is a new row of [`Answers`](crate::profile::Answers). On purpose, a profile that names
/// every row does not compile until it answers the new kind.
///
/// ```
/// use tower_api_key::Denial;
///
/// assert_eq!(Denial::KeyRevoked.name(), "key_revoked");
/// assert_eq!(Denial::KeyRevoked.to_string(), "the key is revoked");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// Nothing proves that the client used HTTPS.
    #[error("no proof that the client used HTTPS")]
    InsecureTransport,
    /// The request has no credential.
    #[error("no credential was presented")]
    CredentialsMissing,
    /// The client's network has failed to authenticate too often. Either the gate has not asked the store for
    /// the key, or the key is not valid.
    #[error(
        "too many attempts from the client's network failed; retry after {} s",
        .retry_after.as_secs_f64()
    )]
    TooManyFailures {
        /// The time until the network may try again.
        retry_after: Duration,
    },
    /// `Authorization` names a scheme that the profile does not read.
    #[error("the authorization scheme is not supported")]
    SchemeUnsupported,
    /// The request has more than one credential. If the gate chose one of them, a proxy could choose
    /// another (RFC 9110 §5.3, RFC 6750 §2).
    #[error("more than one credential was presented")]
    CredentialsAmbiguous,
    /// The credential breaks the grammar of its scheme.
    #[error("the credential is malformed: {0}")]
    CredentialsMalformed(Malformation),
    /// The key fits none of the profile's formats, or its checksum is wrong. The gate has not asked the
    /// store.
    #[error("the key has no known format")]
    KeyMalformed,
    /// The store does not know the key, the key has another audience than the gate, or it was presented with
    /// the id of another key.
    #[error("the key is unknown")]
    KeyUnknown,
    /// The key was revoked.
    #[error("the key is revoked")]
    KeyRevoked,
    /// The key or its account is disabled.
    #[error("the key or its account is disabled")]
    KeyDisabled,
    /// The key is valid only from a later time on.
    #[error("the key is not valid yet")]
    KeyNotYetValid,
    /// The key has expired.
    #[error("the key has expired")]
    KeyExpired,
    /// The key belongs to another environment than the gate, or its text and its record name different
    /// environments.
    #[error("the key belongs to another environment")]
    EnvironmentMismatch,
    /// The client's address is not in the key's networks, or is unknown.
    #[error("the client address is not on the key's allowlist")]
    NetworkNotAllowed,
    /// The credential source that carried the key does not accept keys of its kind.
    #[error("the key is of a kind that this scheme does not carry")]
    SchemeNotForKind,
    /// No route of the table covers the method and path.
    #[error("no route rule covers the request")]
    RouteUnknown,
    /// The route does not accept keys of this kind.
    #[error("the key is of a kind that the route does not serve")]
    KindNotAllowed,
    /// The path names another account than the key's.
    #[error("the request targets another account")]
    AccountMismatch,
    /// A header that the profile requires is absent, repeated, or has a value that is not accepted.
    #[error("required header `{header}` is {problem}")]
    HeaderRefused {
        /// The name of the header.
        header: HeaderName,
        /// What is wrong with the header.
        problem: HeaderProblem,
    },
    /// The key lacks a scope that the request needs.
    #[error("the key lacks a needed scope")]
    ScopeMissing {
        /// The scopes that the request needs, and which of them the key lacks.
        needed: NeededScopes,
    },
    /// A quota has no room for the request, or too many requests of the key were refused.
    #[error("a request limit is exceeded; retry after {} s", .retry_after.as_secs_f64())]
    RateLimited {
        /// The time until the request could pass its limit.
        retry_after: Duration,
    },
    /// The account has too many requests in flight on this route, and no permit became free within the
    /// longest wait.
    #[error("too many simultaneous requests")]
    ConcurrencyExceeded,
    /// The handler did not answer within the route's time budget.
    #[error("the time budget of {} s is spent", .budget.as_secs_f64())]
    TimedOut {
        /// The route's budget.
        budget: Duration,
    },
    /// The handler failed, and returned this denial to get the vendor's answer. The gate itself never uses
    /// it.
    #[error("the service failed")]
    InternalError,
    /// The key store could not answer. The gate never takes this for an unknown key.
    #[error("the key store cannot answer")]
    StoreUnavailable,
    /// The limiter of requests or of simultaneous requests could not answer, and the configuration refuses
    /// requests then.
    #[error("the limiter cannot answer")]
    LimiterUnavailable,
}

/// How a credential breaks its grammar.
///
/// ```
/// use tower_api_key::{Denial, Malformation};
///
/// let denial = Denial::CredentialsMalformed(Malformation::NoColon);
/// assert_eq!(denial.to_string(), "the credential is malformed: no colon");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformation {
    /// `Authorization` has no scheme, or its scheme is not a token (RFC 9110 §11.4).
    #[error("no authorization scheme")]
    Scheme,
    /// No credential follows the scheme, or the credential is empty.
    #[error("empty credential")]
    Empty,
    /// The credential is longer than
    /// [`MAX_CREDENTIAL_BYTES`](crate::request::MAX_CREDENTIAL_BYTES).
    #[error("credential too long")]
    TooLong,
    /// The credential has a character outside of the scheme's alphabet (RFC 6750 §2.1).
    #[error("character outside the alphabet")]
    Alphabet,
    /// The credential is not strict base64: standard alphabet, padding, zero pad bits (RFC 4648 §4). The
    /// URL-safe alphabet is not accepted.
    #[error("invalid base64")]
    Base64,
    /// A `%` of a query parameter is not followed by two hexadecimal digits (RFC 3986 §2.1).
    #[error("invalid percent-encoding")]
    PercentEncoding,
    /// The decoded credential is not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// The user name or the password has a control character (RFC 7617 §2).
    #[error("control character")]
    ControlCharacter,
    /// No colon separates the user name from the password (RFC 7617 §2).
    #[error("no colon")]
    NoColon,
    /// The user name is not the one that the vendor documents.
    #[error("wrong user name")]
    UserName,
    /// The id of the key, which must come beside the secret, is missing.
    #[error("no id beside the secret")]
    NoId,
}

/// What is wrong with a required header.
///
/// ```
/// use http::HeaderName;
/// use tower_api_key::{Denial, HeaderProblem};
///
/// let header = HeaderName::from_static("x-polytomic-version");
/// let denial = Denial::HeaderRefused { header, problem: HeaderProblem::Missing };
/// assert_eq!(denial.to_string(), "required header `x-polytomic-version` is missing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// The header is absent or empty.
    #[error("missing")]
    Missing,
    /// The header has more than one field line.
    #[error("repeated")]
    Repeated,
    /// The header has a value that is not accepted.
    #[error("not acceptable")]
    NotAcceptable,
}

impl Denial {
    /// Returns the kind as a stable `snake_case` word, for logs and metric labels.
    ///
    /// ```
    /// use tower_api_key::Denial;
    ///
    /// assert_eq!(Denial::StoreUnavailable.name(), "store_unavailable");
    /// ```
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InsecureTransport => "insecure_transport",
            Self::CredentialsMissing => "credentials_missing",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::SchemeUnsupported => "scheme_unsupported",
            Self::CredentialsAmbiguous => "credentials_ambiguous",
            Self::CredentialsMalformed(_) => "credentials_malformed",
            Self::KeyMalformed => "key_malformed",
            Self::KeyUnknown => "key_unknown",
            Self::KeyRevoked => "key_revoked",
            Self::KeyDisabled => "key_disabled",
            Self::KeyNotYetValid => "key_not_yet_valid",
            Self::KeyExpired => "key_expired",
            Self::EnvironmentMismatch => "environment_mismatch",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::SchemeNotForKind => "scheme_not_for_kind",
            Self::RouteUnknown => "route_unknown",
            Self::KindNotAllowed => "kind_not_allowed",
            Self::AccountMismatch => "account_mismatch",
            Self::HeaderRefused { .. } => "header_refused",
            Self::ScopeMissing { .. } => "scope_missing",
            Self::RateLimited { .. } => "rate_limited",
            Self::ConcurrencyExceeded => "concurrency_exceeded",
            Self::TimedOut { .. } => "timed_out",
            Self::InternalError => "internal_error",
            Self::StoreUnavailable => "store_unavailable",
            Self::LimiterUnavailable => "limiter_unavailable",
        }
    }

    /// Returns true if nothing is wrong with the request: the service, its store or its limiter failed.
    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only the log asks"))]
    pub(crate) const fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::TimedOut { .. }
                | Self::InternalError
                | Self::StoreUnavailable
                | Self::LimiterUnavailable
        )
    }

    /// Returns true if the key is valid, and the rules refuse what its request asks for.
    pub(crate) const fn is_of_rules(&self) -> bool {
        matches!(
            self,
            Self::NetworkNotAllowed
                | Self::RouteUnknown
                | Self::KindNotAllowed
                | Self::AccountMismatch
                | Self::HeaderRefused { .. }
                | Self::ScopeMissing { .. }
        )
    }
}
