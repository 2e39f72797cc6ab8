//! Response headers about the account and key of a request.

/// Adds a header to every response to an authenticated request.
///
/// Only the gate writes this header: it replaces a value that the service set. The gate removes the
/// header if its own value is missing or not allowed in HTTP, and from responses to requests without a
/// key.
///
/// A layer refuses a name that HTTP, gRPC or the gate itself uses, as for a [`LimitField`](super::LimitField).
///
/// ```
/// use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
///
/// const ID: PrincipalHeader = PrincipalHeader {
///     name: "request-id",
///     value: PrincipalValue::RequestId("req_"),
/// };
/// assert!(tower_api_key::vendors::PERSONA.principal_headers.contains(&ID));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalHeader<'a> {
    /// The header's name, in any case.
    pub name: &'a str,
    /// The header's value.
    pub value: PrincipalValue<'a>,
}

/// Chooses the value of a [`PrincipalHeader`].
///
/// ```
/// use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// /// Sends `x-plan: gold` if the key's record has `.metadata("plan", "gold")`.
/// const PLAN: PrincipalHeader =
///     PrincipalHeader { name: "x-plan", value: PrincipalValue::Metadata("plan") };
///
/// let profile = Profile { principal_headers: &[PLAN], ..Profile::STANDARD };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalValue<'a> {
    /// This prefix and 32 hexadecimal digits, which are unique to the request, but not random: a client can compute from
    /// two ids how many requests the process answered in between. For random ids on every response, refusals before
    /// authentication included, set [`Profile::request_id`](crate::Profile#structfield.request_id) instead. A profile
    /// cannot have both.
    RequestId(&'a str),
    /// The account's id.
    Account,
    /// The key's environment, if the record names one.
    Environment,
    /// The key's id.
    KeyId,
    /// The record's metadata value of this name, if the record has one.
    Metadata(&'a str),
    /// How many requests of the account were in flight on the route when this one was admitted, itself included. Only
    /// a route with a [concurrency limit](crate::rules::Route::concurrency) has the header. A request that this limit
    /// refuses gets the limit. A limiter that does not count, as one of an own type, has no header.
    InFlight,
}
