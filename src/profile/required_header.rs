//! Headers that a vendor requires besides the credential.

/// Requires a header in every request.
///
/// [`build`](crate::ApiKeyLayerBuilder::build) refuses requirements that no request can meet:
///
/// * two requirements on one header that have no value in common,
/// * an empty `OneOf`,
/// * a value with white space around it,
/// * a media type with parameters.
///
/// ```
/// use tower_api_key::profile::{Expected, RequiredHeader};
///
/// const JSON: RequiredHeader = RequiredHeader {
///     name: "content-type",
///     expected: Expected::MediaType("application/json"),
/// };
/// assert_eq!(tower_api_key::vendors::POLYTEIA.required_headers, [JSON]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredHeader<'a> {
    /// The header's name, in any case.
    pub name: &'a str,
    /// The values that are accepted.
    pub expected: Expected<'a>,
}

/// Chooses the values of a header that are accepted. White space around a value does not count.
///
/// ```
/// use tower_api_key::profile::{Expected, RequiredHeader};
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile, store::MemoryStore};
///
/// let build = |values| {
///     let version = RequiredHeader { name: "api-version", expected: Expected::OneOf(values) };
///     let profile = Profile { required_headers: &[version], ..Profile::STANDARD };
///     ApiKeyLayer::builder(profile, MemoryStore::new()).build()
/// };
/// assert!(build(&["1", "2"]).is_ok());
/// assert!(matches!(build(&[]), Err(ConfigError::RequiredHeader { .. })));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected<'a> {
    /// Any value that is not empty.
    Present,
    /// Exactly one of these values.
    OneOf(&'a [&'a str]),
    /// This media type with any parameters, compared without regard to case (RFC 9110 §8.3.1).
    MediaType(&'a str),
    /// A calendar date of the form `2024-02-08`.
    Date,
    /// The id of the key's own account. The gate refuses another account as one that a path names: with
    /// [`Denial::AccountMismatch`](crate::Denial::AccountMismatch).
    OwnAccount,
    /// No such header, or an accepted value. An empty value counts as no header.
    ///
    /// ```
    /// use tower_api_key::profile::{Expected, RequiredHeader};
    ///
    /// const VERSION: RequiredHeader = RequiredHeader {
    ///     name: "x-api-version",
    ///     expected: Expected::AbsentOr(&Expected::OneOf(&["2025-09-18", "2026-11-01"])),
    /// };
    /// ```
    AbsentOr(&'a Expected<'a>),
}
