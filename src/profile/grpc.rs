//! The status codes of gRPC.

use crate::error::Denial;

/// Chooses the `grpc-status` of a refusal (gRPC's "Status codes and their use").
///
/// A gate refuses a gRPC call in gRPC's own form. The code follows from the reason, unless the profile's
/// [row](super::Answer::grpc) names one:
///
/// | reason | code |
/// |---|---|
/// | no credential, or a key that is not valid; any row with status 401 | [`Unauthenticated`](Self::Unauthenticated) |
/// | a key that does not allow the request | [`PermissionDenied`](Self::PermissionDenied) |
/// | a limit | [`ResourceExhausted`](Self::ResourceExhausted) |
/// | a malformed request, or one over plain HTTP | [`InvalidArgument`](Self::InvalidArgument) |
/// | a spent time budget | [`DeadlineExceeded`](Self::DeadlineExceeded) |
/// | a store or a limiter that cannot answer | [`Unavailable`](Self::Unavailable) |
/// | a service that failed | [`Internal`](Self::Internal) |
///
/// A code reveals no more than the answer over HTTP. Rows that name no code and have the same status, body,
/// challenges and `Retry-After` have one code: of the codes of their reasons, the first one in this table. If the
/// row `key_unknown` is among them and names a code, they have that code. A body that a
/// [function](super::ErrorBody::Custom) makes counts as equal to any other, because only the function knows it. So
/// does each body of a gate with [`body_from`](crate::ApiKeyLayerBuilder::body_from).
///
/// ```
/// use http::Request;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::profile::{Answer, Answers, GrpcCode};
/// use tower_api_key::request::Connection;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let standard = Profile::STANDARD.answers;
/// let insecure: Answer = standard.insecure_transport.grpc(GrpcCode::FailedPrecondition);
/// let answers = Answers { insecure_transport: insecure, ..standard };
/// let profile = Profile { answers, ..Profile::STANDARD };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).only_grpc().build()?;
///
/// let call = Request::post("/vendors.v1.Users/ListUsers").header("content-type", "application/grpc");
/// let plain = Connection::plain("192.0.2.1:4711".parse()?);
/// let explanation = layer.explain(&call.body(())?, plain, None, Timestamp::default());
/// let refused = explanation.answer().unwrap();
/// assert_eq!(refused.status(), 200);
/// assert_eq!(refused.headers()["grpc-status"], "9");
/// assert_eq!(refused.headers()["grpc-message"], "HTTPS is required.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrpcCode {
    /// 1: the caller cancelled the call.
    Cancelled = 1,
    /// 2: an error of no other code.
    Unknown = 2,
    /// 3: the request is malformed.
    InvalidArgument = 3,
    /// 4: the time of the call is over.
    DeadlineExceeded = 4,
    /// 5: something was not found.
    NotFound = 5,
    /// 6: something exists already.
    AlreadyExists = 6,
    /// 7: the caller may not do this.
    PermissionDenied = 7,
    /// 8: a quota is used up.
    ResourceExhausted = 8,
    /// 9: the system is not in the state that the call needs.
    FailedPrecondition = 9,
    /// 10: the call was aborted.
    Aborted = 10,
    /// 11: a value is out of its range.
    OutOfRange = 11,
    /// 12: the method does not exist.
    Unimplemented = 12,
    /// 13: the service failed.
    Internal = 13,
    /// 14: the service cannot answer now.
    Unavailable = 14,
    /// 15: data is lost.
    DataLoss = 15,
    /// 16: the caller is not authenticated.
    Unauthenticated = 16,
}

impl GrpcCode {
    /// Returns the number that `grpc-status` carries.
    ///
    /// ```
    /// assert_eq!(tower_api_key::profile::GrpcCode::Unauthenticated.number(), 16);
    /// ```
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the code of a denial whose row chooses none.
    pub(crate) const fn of(denial: &Denial) -> Self {
        match denial {
            Denial::CredentialsMissing
            | Denial::SchemeUnsupported
            | Denial::KeyMalformed
            | Denial::KeyUnknown
            | Denial::KeyRevoked
            | Denial::KeyDisabled
            | Denial::KeyNotYetValid
            | Denial::KeyExpired
            | Denial::EnvironmentMismatch
            | Denial::SchemeNotForKind => Self::Unauthenticated,
            Denial::NetworkNotAllowed
            | Denial::RouteUnknown
            | Denial::KindNotAllowed
            | Denial::AccountMismatch
            | Denial::ScopeMissing { .. } => Self::PermissionDenied,
            Denial::TooManyFailures { .. }
            | Denial::RateLimited { .. }
            | Denial::ConcurrencyExceeded => Self::ResourceExhausted,
            Denial::InsecureTransport
            | Denial::CredentialsAmbiguous
            | Denial::CredentialsMalformed(_)
            | Denial::HeaderRefused { .. } => Self::InvalidArgument,
            Denial::TimedOut { .. } => Self::DeadlineExceeded,
            Denial::StoreUnavailable | Denial::LimiterUnavailable => Self::Unavailable,
            Denial::InternalError => Self::Internal,
        }
    }
}
