//! The table of a vendor's answers, one row for each kind of denial.

use super::answer::Answer;
use crate::error::Denial;

macro_rules! rows {
    ($($(#[$documentation:meta])* $row:ident: $pattern:pat,)*) => {
        /// Holds a vendor's answers, one row for each kind of [`Denial`].
        ///
        /// A table that names all rows does not compile when a version adds a kind of denial, until it
        /// has a row for it. A table that starts from another one, or from [one row for
        /// all](Self::all), names only the rows that differ.
        ///
        /// ```
        /// use http::StatusCode;
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
            /// Creates a table with one answer to every denial. Use struct update for the rows that
            /// differ.
            ///
            /// Pass the answer to a key that is not valid: a client must not be able to tell an unknown key
            /// from a revoked one. A kind of denial that a later version adds gets this
            /// answer, too.
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

            /// The names of all rows.
            #[cfg(feature = "config")]
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($row),)*];

            /// Creates a table from the rows that a function returns for their names.
            #[cfg(feature = "config")]
            pub(crate) fn from_rows<E>(
                mut row: impl FnMut(&'static str) -> Result<Answer<'a>, E>,
            ) -> Result<Self, E> {
                Ok(Self { $($row: row(stringify!($row))?,)* })
            }

            /// Returns the row of a name.
            #[cfg(feature = "config")]
            pub(crate) fn named(&self, name: &str) -> Option<&Answer<'a>> {
                match name {
                    $(stringify!($row) => Some(&self.$row),)*
                    _ => None,
                }
            }

            /// Converts every row, from its name and content.
            pub(crate) fn try_map<T, E>(
                &self,
                mut map: impl FnMut(&'static str, &Answer<'a>) -> Result<T, E>,
            ) -> Result<RenderedAnswers<T>, E> {
                Ok(RenderedAnswers {
                    $($row: map(stringify!($row), &self.$row)?,)*
                })
            }
        }

        /// The rows of [`Answers`] after their conversion.
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
    /// A request without proof of HTTPS.
    insecure_transport: Denial::InsecureTransport,
    /// A request without a credential.
    credentials_missing: Denial::CredentialsMissing,
    /// An `Authorization` scheme that the profile does not read.
    scheme_unsupported: Denial::SchemeUnsupported,
    /// Too many failed attempts from the client's network.
    too_many_failures: Denial::TooManyFailures { .. },
    /// A request with more than one credential.
    credentials_ambiguous: Denial::CredentialsAmbiguous,
    /// A credential that breaks the grammar of its scheme.
    credentials_malformed: Denial::CredentialsMalformed(_),
    /// A key that fits no format.
    key_malformed: Denial::KeyMalformed,
    /// A key that the store does not know.
    key_unknown: Denial::KeyUnknown,
    /// A revoked key.
    key_revoked: Denial::KeyRevoked,
    /// A disabled key, or a key of a disabled account.
    key_disabled: Denial::KeyDisabled,
    /// A key that is not valid yet.
    key_not_yet_valid: Denial::KeyNotYetValid,
    /// A key that has expired.
    key_expired: Denial::KeyExpired,
    /// A key of another environment.
    environment_mismatch: Denial::EnvironmentMismatch,
    /// A client whose address is not on the key's allowlist.
    network_not_allowed: Denial::NetworkNotAllowed,
    /// A kind of key that its credential source does not accept.
    scheme_not_for_kind: Denial::SchemeNotForKind,
    /// A request that no row of the route table covers.
    route_unknown: Denial::RouteUnknown,
    /// A kind of key that the route does not accept.
    kind_not_allowed: Denial::KindNotAllowed,
    /// A path that names another account.
    account_mismatch: Denial::AccountMismatch,
    /// A required header that is absent, repeated, or has another value.
    header_refused: Denial::HeaderRefused { .. },
    /// A key without a scope that the request needs.
    scope_missing: Denial::ScopeMissing { .. },
    /// A request that exceeds a quota.
    rate_limited: Denial::RateLimited { .. },
    /// A request that exceeds the route's concurrency limit.
    concurrency_exceeded: Denial::ConcurrencyExceeded,
    /// A service that did not answer within the route's time budget.
    timed_out: Denial::TimedOut { .. },
    /// A service that failed and returned a [`refusal`](crate::refusal).
    internal_error: Denial::InternalError,
    /// A key store that cannot answer.
    store_unavailable: Denial::StoreUnavailable,
    /// A limiter that cannot answer.
    limiter_unavailable: Denial::LimiterUnavailable,
}

impl<'a> Answers<'a> {
    /// Changes the answers to requests without a valid key.
    ///
    /// * `missing` answers `credentials_missing` and `scheme_unsupported`. Give it [`Challenge::Bare`](super::Challenge::Bare).
    /// * `invalid` answers the six rows `key_*`, `environment_mismatch` and `scheme_not_for_kind`. Give it
    ///   [`Challenge::InvalidToken`](super::Challenge::InvalidToken). A client must not be able to tell an unknown key from a revoked one.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody};
    /// use tower_api_key::{Denial, Profile};
    ///
    /// fn answers(text: &str) -> Answers<'_> {
    ///     let answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Error(text));
    ///     let missing = answer.challenge(Challenge::Bare);
    ///     let invalid = answer.challenge(Challenge::InvalidToken);
    ///     Profile::STANDARD.answers.with_unauthorized(missing, invalid)
    /// }
    /// assert_eq!(answers("No.").row(&Denial::KeyExpired).status(), 401);
    /// ```
    pub const fn with_unauthorized(self, missing: Answer<'a>, invalid: Answer<'a>) -> Self {
        Self {
            credentials_missing: missing,
            scheme_unsupported: missing,
            key_malformed: invalid,
            key_unknown: invalid,
            key_revoked: invalid,
            key_disabled: invalid,
            key_not_yet_valid: invalid,
            key_expired: invalid,
            environment_mismatch: invalid,
            scheme_not_for_kind: invalid,
            ..self
        }
    }

    /// Changes the answers to requests that a valid key does not allow: `network_not_allowed`,
    /// `route_unknown`, `kind_not_allowed`, `account_mismatch` and `scope_missing`. The row `scope_missing`
    /// keeps its challenge.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, ErrorBody};
    /// use tower_api_key::{Denial, Profile};
    ///
    /// let no = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Error("Not yours."));
    /// let answers = Profile::STANDARD.answers.with_forbidden(no);
    /// assert_eq!(answers.row(&Denial::RouteUnknown).status(), 403);
    /// ```
    pub const fn with_forbidden(self, answer: Answer<'a>) -> Self {
        Self {
            network_not_allowed: answer,
            route_unknown: answer,
            kind_not_allowed: answer,
            account_mismatch: answer,
            scope_missing: answer.challenge(self.scope_missing.challenge),
            ..self
        }
    }
}
