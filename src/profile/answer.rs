//! One row per kind of denial: the table that makes a vendor.

use http::StatusCode;

use super::body::ErrorBody;
use super::challenge::Challenge;
use crate::error::Denial;

/// Says how one kind of denial is answered.
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Challenge, ErrorBody};
///
/// const INVALID: Answer = Answer::new(
///     StatusCode::UNAUTHORIZED,
///     ErrorBody::Error("Invalid API key provided."),
/// )
/// .challenge(Challenge::InvalidToken);
/// assert_eq!(INVALID.status(), 401);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub(crate) status: StatusCode,
    pub(crate) body: ErrorBody<'a>,
    pub(crate) challenge: Challenge,
    pub(crate) retry_after: Option<u32>,
}

impl<'a> Answer<'a> {
    /// Answers with this status and body, and no challenge.
    pub const fn new(status: StatusCode, body: ErrorBody<'a>) -> Self {
        Self { status, body, challenge: Challenge::None, retry_after: None }
    }

    /// Adds `WWW-Authenticate`.
    pub const fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    /// Adds `Retry-After` in seconds. A refusal that knows its own wait says that instead, and a
    /// 429 always says at least 1.
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Returns the status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

macro_rules! rows {
    ($($(#[$documentation:meta])* $row:ident: $pattern:pat,)*) => {
        /// Holds one row for every kind of [`Denial`]. A table that names all rows does not compile
        /// when a new kind of denial comes, until it says how that is answered. One that starts from
        /// another, or from [one row for all](Self::all), names only what differs.
        ///
        /// ```
        /// # use http::StatusCode;
        /// use tower_api_key::profile::{Answer, Answers, ErrorBody};
        /// use tower_api_key::{Denial, vendors};
        ///
        /// const GONE: Answer = Answer::new(StatusCode::GONE, ErrorBody::Text("Revoked"));
        /// const OURS: Answers = Answers { key_revoked: GONE, ..vendors::PERSONYZE.answers };
        /// assert_eq!(OURS.row(&Denial::KeyRevoked).status(), 410);
        /// assert_eq!(OURS.row(&Denial::KeyExpired).status(), 401);
        /// ```
        #[derive(Debug, Clone, Copy)]
        pub struct Answers<'a> {
            $($(#[$documentation])* pub $row: Answer<'a>,)*
        }

        impl<'a> Answers<'a> {
            /// Answers every denial alike; struct update names what differs.
            ///
            /// Start from the row for keys that do not serve: a client must not tell an unknown key from
            /// a revoked one. A kind of denial that a later version adds is answered by this row, too.
            ///
            /// ```
            /// use http::StatusCode;
            /// use tower_api_key::Denial;
            /// use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody};
            ///
            /// const INVALID: Answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Text("No."))
            ///     .challenge(Challenge::InvalidToken);
            /// const BUSY: Answer =
            ///     Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("Slow down."));
            /// const OURS: Answers = Answers { rate_limited: BUSY, ..Answers::all(INVALID) };
            /// assert_eq!(OURS.row(&Denial::KeyRevoked).status(), 401);
            /// ```
            pub const fn all(answer: Answer<'a>) -> Self {
                Self { $($row: answer,)* }
            }

            /// Returns the row that answers a denial.
            pub const fn row(&self, denial: &Denial) -> &Answer<'a> {
                match denial {
                    $($pattern => &self.$row,)*
                }
            }

            /// Renders every row, from its name and content.
            pub(crate) fn try_map<T, E>(
                &self,
                mut map: impl FnMut(&'static str, &Answer<'a>) -> Result<T, E>,
            ) -> Result<RenderedAnswers<T>, E> {
                Ok(RenderedAnswers {
                    $($row: map(stringify!($row), &self.$row)?,)*
                })
            }
        }

        /// What became of each row of [`Answers`].
        #[derive(Debug)]
        pub(crate) struct RenderedAnswers<T> {
            $($row: T,)*
        }

        impl<T> RenderedAnswers<T> {
            /// Returns the row that answers a denial.
            pub(crate) const fn row(&self, denial: &Denial) -> &T {
                match denial {
                    $($pattern => &self.$row,)*
                }
            }

            /// Changes every row.
            pub(crate) fn for_each(&mut self, mut change: impl FnMut(&mut T)) {
                $(change(&mut self.$row);)*
            }
        }
    };
}

rows! {
    /// Plain HTTP, as far as can be proven.
    insecure_transport: Denial::InsecureTransport,
    /// No credential.
    credentials_missing: Denial::CredentialsMissing,
    /// An `Authorization` scheme that the profile does not read.
    scheme_unsupported: Denial::SchemeUnsupported,
    /// Too many failed attempts from the client's network.
    too_many_failures: Denial::TooManyFailures { .. },
    /// More than one credential.
    credentials_ambiguous: Denial::CredentialsAmbiguous,
    /// A credential that breaks its grammar.
    credentials_malformed: Denial::CredentialsMalformed(_),
    /// A key that fits no format.
    key_malformed: Denial::KeyMalformed,
    /// A key that no store knows.
    key_unknown: Denial::KeyUnknown,
    /// A revoked key.
    key_revoked: Denial::KeyRevoked,
    /// A disabled key or account.
    key_disabled: Denial::KeyDisabled,
    /// A key whose time has not come.
    key_not_yet_valid: Denial::KeyNotYetValid,
    /// A key whose time is over.
    key_expired: Denial::KeyExpired,
    /// A key of another environment.
    environment_mismatch: Denial::EnvironmentMismatch,
    /// A client that is not on the key's allowlist.
    network_not_allowed: Denial::NetworkNotAllowed,
    /// A kind of key that its scheme does not carry.
    scheme_not_for_kind: Denial::SchemeNotForKind,
    /// A request that no line of the route table covers.
    route_unknown: Denial::RouteUnknown,
    /// A kind of key that the route does not serve.
    kind_not_allowed: Denial::KindNotAllowed,
    /// Another account's path.
    account_mismatch: Denial::AccountMismatch,
    /// A demanded header absent, repeated, or with another value.
    header_refused: Denial::HeaderRefused { .. },
    /// A scope lacking.
    scope_missing: Denial::ScopeMissing { .. },
    /// A request limit exceeded.
    rate_limited: Denial::RateLimited { .. },
    /// Too many simultaneous requests.
    concurrency_exceeded: Denial::ConcurrencyExceeded,
    /// The route's time budget spent.
    timed_out: Denial::TimedOut { .. },
    /// A service that failed and says so by [`refusal`](crate::refusal).
    internal_error: Denial::InternalError,
    /// A key store that cannot answer.
    store_unavailable: Denial::StoreUnavailable,
    /// A limiter that cannot answer.
    limiter_unavailable: Denial::LimiterUnavailable,
}
