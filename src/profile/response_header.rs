//! Response headers whose values never change.

/// Adds a header with a fixed value to every response: to refusals, to the gate's answers to preflights, and to the
/// service's responses, with and without a key.
///
/// A value that the service has set stays, because the service knows its answer best. A layer refuses a name that
/// the gate, HTTP or gRPC uses, such as `Content-Type` or `Vary`.
///
/// ```
/// use tower_api_key::profile::ResponseHeader;
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
///
/// const VERSION: ResponseHeader = ResponseHeader { name: "x-api-version", value: "2026-11-01" };
/// let profile = Profile { response_headers: &[VERSION], ..Profile::STANDARD };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// assert_eq!(layer.answer(&Denial::KeyUnknown).headers()["x-api-version"], "2026-11-01");
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHeader<'a> {
    /// The header's name, in any case.
    pub name: &'a str,
    /// The header's value: visible ASCII, with blanks inside.
    pub value: &'a str,
}
