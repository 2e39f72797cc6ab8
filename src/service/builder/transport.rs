//! Builder methods for the proof of HTTPS and of the client's address.

use super::ApiKeyLayerBuilder;
use crate::request::TrustedProxies;

impl ApiKeyLayerBuilder {
    /// Trusts the headers of these proxies on HTTPS and on the client's address. Without a call no proxy is
    /// trusted.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::decision::{Check, Outcome};
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let proxies = TrustedProxies::new(Networks::new(["10.0.0.0/8"])?, ProxyHeaders::Forwarded);
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.trusted_proxies(proxies).build()?;
    ///
    /// let request = Request::get("/").header("forwarded", "proto=https").body(())?;
    /// let proxy = Connection::plain("10.0.0.1:4711".parse()?);
    /// let explanation = layer.explain(&request, proxy, None, Timestamp::default());
    /// assert_eq!(explanation.outcome(Check::Transport), &Outcome::Passed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.policy.proxies = proxies;
        self
    }

    /// Treats every request as one over HTTPS, without proof. Use it on your own machine, or for a service
    /// that only a TLS-terminating proxy can reach; prefer [`trusted_proxies`](Self::trusted_proxies).
    ///
    /// With this option the gate accepts a key that came over plain HTTP, and never reports one to
    /// [`Observer::key_exposed`](crate::Observer::key_exposed).
    pub fn assume_https(mut self) -> Self {
        self.policy.assume_https = true;
        self
    }
}
