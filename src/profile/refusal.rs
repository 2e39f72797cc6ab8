//! What is known of a refusal when its answer is written.

use std::fmt;

use http::{Method, StatusCode};

use super::exceeded::ExceededQuotas;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::KeyRecord;
use crate::quota::{Quota, QuotaStatus};

/// The facts of one refusal, for the functions of a profile that write an answer: [`ErrorBody::Custom`].
///
/// The gate collects the facts only when it refuses a request. A fact is `None` if the gate does not know it: an
/// account before authentication, or the path of [`ApiKeyLayer::answer`](crate::ApiKeyLayer::answer), which has
/// no request.
///
/// Before authentication nothing here is about the key. So a client cannot tell an unknown key from a revoked one,
/// unless the function itself answers [`denial`](Self::denial) differently.
///
/// The client chooses its method and path. Escape both for the format that you write.
///
/// [`ErrorBody::Custom`]: super::ErrorBody::Custom
///
/// ```
/// use http::HeaderValue;
/// use tower_api_key::profile::{CustomBody, Refusal};
///
/// fn plain(refusal: &Refusal<'_>) -> CustomBody {
///     let mut text = format!("{} ({})", refusal.denial().name(), refusal.status().as_u16());
///     if let Some((quota, status)) = refusal.quota() {
///         text += &format!(": {} allows {} requests", quota.name(), status.limit());
///     }
///     CustomBody { content_type: HeaderValue::from_static("text/plain"), content: text.into() }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Refusal<'a> {
    pub(crate) denial: &'a Denial,
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<u64>,
    pub(crate) method: Option<&'a Method>,
    pub(crate) path: Option<&'a str>,
    pub(crate) record: Option<&'a KeyRecord>,
    pub(crate) exceeded: Option<ExceededQuotas<'a>>,
    pub(crate) simultaneous: Option<u32>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) documentation_url: Option<&'a str>,
    pub(crate) expired_at: Option<Timestamp>,
    pub(crate) masked_key: Option<&'a str>,
}

impl<'a> Refusal<'a> {
    /// Returns the reason, with its own facts: a [`Denial::ScopeMissing`] has the scopes, and a
    /// [`Denial::HeaderRefused`] the header.
    pub const fn denial(&self) -> &'a Denial {
        self.denial
    }

    /// Returns the HTTP status of the profile's row. A gRPC call gets the same body as a message, with status 200.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the value of `Retry-After` in seconds, if the answer has that header.
    pub const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// Returns the method of the request.
    pub const fn method(&self) -> Option<&'a Method> {
        self.method
    }

    /// Returns the path as the client sent it, percent-encoded and without the query.
    pub const fn path(&self) -> Option<&'a str> {
        self.path
    }

    /// Returns the record of the key, which has the account, the key's id and the environment. `None` unless the
    /// client is authenticated: a refusal of the key itself has no record, and neither has that of an anonymous
    /// request.
    pub const fn record(&self) -> Option<&'a KeyRecord> {
        self.record
    }

    /// Returns the quota that refused the request, and what is left of it. If several did, returns the one that
    /// makes the client wait longest. `None` if the request was refused for another reason.
    pub fn quota(&self) -> Option<(&'a Quota, QuotaStatus)> {
        self.exceeded_quotas().max_by_key(|(_, status)| status.reset_after())
    }

    /// Lists all quotas that had no room for the request, and what is left of each. Empty if the request was refused
    /// for another reason.
    pub fn exceeded_quotas(&self) -> impl Iterator<Item = (&'a Quota, QuotaStatus)> + use<'a> {
        self.exceeded.into_iter().flat_map(ExceededQuotas::iter)
    }

    /// Returns how many simultaneous requests the route admits, if the request exceeded that.
    pub const fn simultaneous(&self) -> Option<u32> {
        self.simultaneous
    }

    /// Returns the id of the request, if the profile has request ids.
    pub const fn request_id(&self) -> Option<&'a str> {
        self.request_id
    }

    /// Returns the URL that the profile's row [sets](super::Answer::documentation_url).
    pub const fn documentation_url(&self) -> Option<&'a str> {
        self.documentation_url
    }

    /// Returns what the client has presented as its key, without the secret part: `sk_live_****w7Xz`. It has the texts
    /// that begin every key of the format, and the last four characters of a key that keeps 16 others hidden. `None`
    /// if the key was neither refused nor judged, as for a request that exceeds a quota or that a handler refuses.
    pub const fn masked_key(&self) -> Option<&'a str> {
        self.masked_key
    }

    /// Returns when a key expired that is refused for that reason.
    ///
    /// A client that gets to know the instant knows that its key was valid once. So it can tell an expired key from
    /// an unknown one, which a gate otherwise hides. Use it only if the vendor documents it.
    pub const fn insecure_expired_at(&self) -> Option<Timestamp> {
        self.expired_at
    }
}

/// Prints the reason and the status, and nothing of the request.
impl fmt::Debug for Refusal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Refusal")
            .field("denial", self.denial)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
