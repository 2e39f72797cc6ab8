//! Request ids, as data.

/// Gives every response an id of its request, refusals before authentication included.
///
/// The gate makes the id, of 16 random bytes. The inner service finds it in the request's header of this name, and as
/// a [`RequestId`](crate::request::RequestId) in the request's extensions. Outer layers find it in the response's
/// extensions. Only the gate writes the header: it replaces what the client or the service wrote there.
///
/// If the request's extensions have a [`RequestId`](crate::request::RequestId) already, of a layer or a gate further
/// out, the gate uses that one. A trusted proxy can choose the id, too: see
/// [`request_id_from_proxies`](crate::ApiKeyLayerBuilder::request_id_from_proxies).
///
/// ```
/// use tower_api_key::profile::RequestIdHeader;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let profile = Profile {
///     request_id: Some(RequestIdHeader::new("request-id").prefix("req_")),
///     ..Profile::STANDARD
/// };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestIdHeader<'a> {
    pub(crate) name: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) is_uuid: bool,
}

impl<'a> RequestIdHeader<'a> {
    /// Describes a header of this name, in any case, whose ids are 32 hexadecimal digits.
    pub const fn new(name: &'a str) -> Self {
        Self { name, prefix: "", is_uuid: false }
    }

    /// Writes this text before each id that the gate makes, as `req_`. It may have letters, digits and `-._~+/=:`, and
    /// at most 64 of them.
    pub const fn prefix(mut self, prefix: &'a str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Makes random UUIDs (RFC 9562 §5.4) instead of 32 hexadecimal digits.
    pub const fn uuid(mut self) -> Self {
        self.is_uuid = true;
        self
    }
}
