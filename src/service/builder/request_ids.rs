//! The builder method for ids of requests.

use super::ApiKeyLayerBuilder;

impl ApiKeyLayerBuilder {
    /// Takes the id of a request from the header that the profile's
    /// [`request_id`](crate::Profile#structfield.request_id) names, if a
    /// [trusted proxy](Self::trusted_proxies) sent the request. Make sure that the proxy overwrites the header.
    /// Otherwise clients choose their ids.
    ///
    /// The gate makes a new id if the header is absent or repeated, and if its value is no
    /// [`RequestId`](crate::request::RequestId).
    ///
    /// ```
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::profile::RequestIdHeader;
    /// use tower_api_key::request::{ProxyHeaders, TrustedProxies};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let request_id = Some(RequestIdHeader::new("x-request-id"));
    /// let profile = Profile { request_id, ..Profile::STANDARD };
    /// let networks = Networks::new(["10.0.0.0/8"])?;
    /// let layer = ApiKeyLayer::builder(profile, MemoryStore::new())
    ///     .trusted_proxies(TrustedProxies::new(networks, ProxyHeaders::Forwarded))
    ///     .request_id_from_proxies()
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn request_id_from_proxies(mut self) -> Self {
        self.options.takes_request_ids = true;
        self
    }
}
