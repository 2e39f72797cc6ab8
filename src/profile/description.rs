//! The description of a vendor as data.

use crate::key::KeyFormat;
use crate::profile::{
    Answers, CredentialSource, LimitHeaders, PathAnswers, PrincipalHeader, RequestIdHeader,
    RequiredHeader, ResponseHeader, SchemeChallenge,
};
use crate::quota::Quota;

/// Describes how a vendor authenticates requests.
///
/// A profile has the credentials that the vendor reads, the formats of its keys, the headers that it requires,
/// its quotas, and its answer to each kind of denial.
///
/// [`vendors`](crate::vendors) has profiles of five vendors as constants. [`Profile::STANDARD`] copies
/// no vendor.
///
/// A profile borrows its texts and lists, from constants or from values that exist at run time. A layer
/// that is built from it borrows nothing.
///
/// Use struct update to change a profile:
///
/// ```
/// use tower_api_key::{Profile, vendors};
///
/// const OURS: Profile = Profile {
///     realm: "api.example.com",
///     ..vendors::POLYTEIA
/// };
/// assert_eq!(OURS.formats, vendors::POLYTEIA.formats);
/// ```
///
/// A profile can have values that are known only at run time:
///
/// ```
/// use tower_api_key::key::KeyFormat;
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile, store::MemoryStore};
///
/// fn layer(realm: &str, prefix: &str) -> Result<ApiKeyLayer, ConfigError> {
///     let formats = [KeyFormat::prefixed(prefix, &["live", "test"])];
///     let profile = Profile { realm, formats: &formats, ..Profile::STANDARD };
///     ApiKeyLayer::builder(profile, MemoryStore::new()).build()
/// }
/// assert!(layer(&String::from("api.example.com"), &String::from("acme")).is_ok());
/// ```
///
/// A function that returns such a profile takes its lists from the caller, because the profile borrows them:
///
/// ```
/// use tower_api_key::{Profile, key::KeyFormat};
///
/// fn profile<'a>(realm: &'a str, formats: &'a [KeyFormat<'a>]) -> Profile<'a> {
///     Profile { realm, formats, ..Profile::STANDARD }
/// }
/// ```
///
/// A minor release may add a field. A profile that ends with struct update still compiles, and takes the other
/// profile's value. A profile that names every field must name the new one.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// The vendor's name, for logs.
    pub name: &'a str,
    /// The realm in challenges (RFC 9110 §11.5).
    pub realm: &'a str,
    /// The sources that keys are read from. A 401 has a challenge for each source, in this order.
    pub credentials: &'a [CredentialSource<'a>],
    /// The formats of the vendor's keys. A gate refuses a text that fits none, without asking the
    /// store.
    pub formats: &'a [KeyFormat<'a>],
    /// The headers that every request must have, besides the credential.
    pub required_headers: &'a [RequiredHeader<'a>],
    /// The quotas of an account that has neither quotas of its own nor a plan.
    pub quotas: &'a [Quota],
    /// The headers that report limits.
    pub limit_headers: LimitHeaders<'a>,
    /// The headers about the account and key, on responses to authenticated requests.
    pub principal_headers: &'a [PrincipalHeader<'a>],
    /// The header that has an id of each request. `None` makes no ids.
    pub request_id: Option<RequestIdHeader<'a>>,
    /// The headers with fixed values, on all responses.
    pub response_headers: &'a [ResponseHeader<'a>],
    /// The lines of `WWW-Authenticate`. Empty: one for each source in `credentials`.
    pub challenges: &'a [SchemeChallenge<'a>],
    /// The answer to each kind of denial.
    pub answers: Answers<'a>,
    /// The answers for paths below a prefix, in place of `answers`.
    pub answers_by_path: &'a [PathAnswers<'a>],
}
