//! Headers that a vendor demands besides the credential.

/// Demands a header of every request. Demands that no request can meet are refused when a layer is built:
/// two of one header with no value in common, an empty `OneOf`, a value with white space around it, or a
/// media type with parameters.
///
/// ```
/// use tower_api_key::profile::{Expected, RequiredHeader};
///
/// const JSON: RequiredHeader = RequiredHeader {
///     name: "content-type",
///     expected: Expected::MediaType("application/json"),
/// };
/// # use tower_api_key::vendors;
/// assert_eq!(vendors::POLYTEIA.required_headers, [JSON]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredHeader<'a> {
    /// The header's name, in any case.
    pub name: &'a str,
    /// The values that are served.
    pub expected: Expected<'a>,
}

/// Tells which values of a header are served. White space around a value does not count.
///
/// ```
/// # use http::Request;
/// # use tower_api_key::{ApiKeyLayer, Profile, clock::Timestamp, request::Connection};
/// # use tower_api_key::key::{Account, KeyRecord};
/// # use tower_api_key::decision::{Check, Outcome};
/// # use tower_api_key::{store::MemoryStore, vendors};
/// use tower_api_key::profile::{Expected, RequiredHeader};
///
/// const VERSION: RequiredHeader =
///     RequiredHeader { name: "api-version", expected: Expected::OneOf(&["1", "2"]) };
/// let profile = Profile { required_headers: &[VERSION], ..vendors::POLYTEIA };
/// # let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap();
/// # let acme = Account::builder("acme").build().unwrap();
/// # let record = KeyRecord::builder("key_1", acme).build().unwrap().into();
/// # let outcome = |version: &str| {
/// #     let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef");
/// #     let request = request.header("api-version", version).body(()).unwrap();
/// #     let at = Timestamp::from_unix_seconds(1_000);
/// #     let explanation = layer.explain(&request, Connection::unknown(), Some(&record), at);
/// #     explanation.outcome(Check::RequiredHeaders).clone()
/// # };
/// assert_eq!(outcome("2"), Outcome::Passed);
/// assert!(matches!(outcome("3"), Outcome::Refused(_)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected<'a> {
    /// Any value that is not empty.
    Present,
    /// Exactly one of these.
    OneOf(&'a [&'a str]),
    /// This media type, with any parameters, compared without regard to case (RFC 9110 §8.3.1).
    MediaType(&'a str),
    /// A calendar date of the form `2024-02-08`.
    Date,
}
