//! Names every reason to refuse a request, with its facts; never how the client is told.
//!
//! How a vendor answers each of them is data: one row of [`Answers`](crate::profile::Answers)
//! per kind. A denial rides in the refusal's response extensions, so that outer layers can log
//! and count reasons that the client must not be able to tell apart.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

/// Tells why a request was refused.
///
/// Adding a kind is a breaking change on purpose: it does not compile until every profile says how
/// it answers.
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
    /// The client did not reach the service over HTTPS, as far as can be proven.
    #[error("no proof that the client used HTTPS")]
    InsecureTransport,
    /// No credential came with the request.
    #[error("no credential was presented")]
    CredentialsMissing,
    /// Too many attempts to authenticate have failed that came from the client's network; of this one
    /// no store was asked, or the key does not serve.
    #[error(
        "too many attempts from the client's network failed; retry after {} s",
        .retry_after.as_secs_f64()
    )]
    TooManyFailures {
        /// The time until an attempt could be made.
        retry_after: Duration,
    },
    /// `Authorization` names a scheme that the profile does not read.
    #[error("the authorization scheme is not supported")]
    SchemeUnsupported,
    /// More than one credential came; picking one would let a client and a proxy disagree
    /// (RFC 9110 §5.3, RFC 6750 §2).
    #[error("more than one credential was presented")]
    CredentialsAmbiguous,
    /// The credential breaks the grammar of its scheme.
    #[error("the credential is malformed: {0}")]
    CredentialsMalformed(Malformation),
    /// The key fits none of the profile's formats, or fails its checksum; no store was asked.
    #[error("the key has no known format")]
    KeyMalformed,
    /// The store knows no such key.
    #[error("the key is unknown")]
    KeyUnknown,
    /// The key was revoked.
    #[error("the key is revoked")]
    KeyRevoked,
    /// The key, or its whole account, is switched off.
    #[error("the key or its account is disabled")]
    KeyDisabled,
    /// The key serves only from a later time on.
    #[error("the key is not valid yet")]
    KeyNotYetValid,
    /// The key's time is over.
    #[error("the key has expired")]
    KeyExpired,
    /// The key belongs to another environment than the one this gate is pinned to.
    #[error("the key belongs to another environment")]
    EnvironmentMismatch,
    /// The client's address is on none of the key's networks, or cannot be determined.
    #[error("the client address is not on the key's allowlist")]
    NetworkNotAllowed,
    /// Keys of this kind are not served through the scheme that carried it.
    #[error("the key is of a kind that this scheme does not carry")]
    SchemeNotForKind,
    /// No rule of the route table covers this method and path.
    #[error("no route rule covers the request")]
    RouteUnknown,
    /// The route serves other kinds of keys.
    #[error("the key is of a kind that the route does not serve")]
    KindNotAllowed,
    /// The request targets an account that is not the key's.
    #[error("the request targets another account")]
    AccountMismatch,
    /// A header that the profile demands is absent, repeated, or has another value.
    #[error("required header `{header}` is {problem}")]
    HeaderRefused {
        /// The header demanded.
        header: HeaderName,
        /// What is wrong with it.
        problem: HeaderProblem,
    },
    /// The key lacks a scope that the request needs.
    #[error("the key lacks a needed scope")]
    ScopeMissing {
        /// The scopes that would do, separated by spaces (RFC 6750 §3, attribute `scope`).
        needed: Arc<str>,
    },
    /// A request limit is used up.
    #[error("a request limit is exceeded; retry after {} s", .retry_after.as_secs_f64())]
    RateLimited {
        /// The time until the request could pass.
        retry_after: Duration,
    },
    /// Too many requests of the account are in flight on this route, and waiting did not help.
    #[error("too many simultaneous requests")]
    ConcurrencyExceeded,
    /// The service did not answer within the route's time budget.
    #[error("the time budget of {} s is spent", .budget.as_secs_f64())]
    TimedOut {
        /// The route's budget.
        budget: Duration,
    },
    /// The service failed, and asks for the vendor's own words; the gate itself never says so.
    #[error("the service failed")]
    InternalError,
    /// The key store could not answer. Never read as "unknown key".
    #[error("the key store cannot answer")]
    StoreUnavailable,
    /// The limiter could not answer, or whoever keeps the places of simultaneous requests, and the
    /// configuration says to refuse then.
    #[error("the limiter cannot answer")]
    LimiterUnavailable,
}

/// Tells how a credential breaks its grammar.
///
/// ```
/// # use http::Request;
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::request::Connection;
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// use tower_api_key::{Denial, Malformation};
///
/// # let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new()).build()?;
/// # let connection = Connection::tls("192.0.2.1:4711".parse()?);
/// let request = Request::get("/").header("authorization", "Basic a-b_").body(())?;
/// let explanation = layer.explain(&request, connection, None, Timestamp::default());
/// let url_safe = Denial::CredentialsMalformed(Malformation::Base64);
/// assert_eq!(explanation.decision().unwrap_err(), &url_safe);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformation {
    /// The field has no scheme, or none that is a token (RFC 9110 §11.4).
    #[error("no authorization scheme")]
    Scheme,
    /// The scheme stands alone, or the credential is empty.
    #[error("empty credential")]
    Empty,
    /// The credential is longer than any key can be.
    #[error("credential too long")]
    TooLong,
    /// A character outside the scheme's alphabet (RFC 6750 §2.1).
    #[error("character outside the alphabet")]
    Alphabet,
    /// Not strict base64 (RFC 4648 §4: alphabet, padding, zero pad bits).
    #[error("invalid base64")]
    Base64,
    /// Not UTF-8 after decoding.
    #[error("not UTF-8")]
    Utf8,
    /// A control character in user name or password (RFC 7617 §2).
    #[error("control character")]
    ControlCharacter,
    /// No colon between user name and password (RFC 7617 §2).
    #[error("no colon")]
    NoColon,
    /// Another user name than the vendor documents.
    #[error("wrong user name")]
    UserName,
}

/// Tells what is wrong with a required header.
///
/// ```
/// # use http::HeaderName;
/// use tower_api_key::{Denial, HeaderProblem};
///
/// let header = HeaderName::from_static("x-polytomic-version");
/// let denial = Denial::HeaderRefused { header, problem: HeaderProblem::Missing };
/// assert_eq!(denial.to_string(), "required header `x-polytomic-version` is missing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// Absent or empty.
    #[error("missing")]
    Missing,
    /// On more than one field line.
    #[error("repeated")]
    Repeated,
    /// Present with a value that is not served.
    #[error("not acceptable")]
    NotAcceptable,
}

impl Denial {
    /// Returns the kind as a stable `snake_case` word, for logs and metric labels.
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

    /// Returns true if the rules refuse a request of a key that serves: it may not do this.
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
