//! One denial of each kind.

use std::time::Duration;

use http::HeaderName;

use super::denial::{Denial, HeaderProblem, Malformation};

impl Denial {
    /// Returns a denial of each kind, in the order of the rows of [`Answers`](crate::profile::Answers).
    pub(crate) fn each_kind() -> [Self; 26] {
        let header = HeaderName::from_static("x-required");
        [
            Self::InsecureTransport,
            Self::CredentialsMissing,
            Self::SchemeUnsupported,
            Self::TooManyFailures { retry_after: Duration::ZERO },
            Self::CredentialsAmbiguous,
            Self::CredentialsMalformed(Malformation::Empty),
            Self::KeyMalformed,
            Self::KeyUnknown,
            Self::KeyRevoked,
            Self::KeyDisabled,
            Self::KeyNotYetValid,
            Self::KeyExpired,
            Self::EnvironmentMismatch,
            Self::NetworkNotAllowed,
            Self::SchemeNotForKind,
            Self::RouteUnknown,
            Self::KindNotAllowed,
            Self::AccountMismatch,
            Self::HeaderRefused { header, problem: HeaderProblem::Missing },
            Self::ScopeMissing { needed: "".into() },
            Self::RateLimited { retry_after: Duration::ZERO },
            Self::ConcurrencyExceeded,
            Self::TimedOut { budget: Duration::ZERO },
            Self::InternalError,
            Self::StoreUnavailable,
            Self::LimiterUnavailable,
        ]
    }
}
