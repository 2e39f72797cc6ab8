//! Configuring what proves HTTPS and the client's address.

use super::ApiKeyLayerBuilder;
use crate::request::TrustedProxies;

impl ApiKeyLayerBuilder {
    /// Believes these proxies on HTTPS and on the client's address; nobody unless set.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, clock::Timestamp, store::MemoryStore, vendors};
    /// # use tower_api_key::decision::{Check, Outcome};
    /// # use tower_api_key::key::Networks;
    /// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
    ///
    /// let proxies = TrustedProxies::new(Networks::new(["10.0.0.0/8"])?, ProxyHeaders::Forwarded);
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// let layer = builder.trusted_proxies(proxies).build()?;
    ///
    /// let request = http::Request::get("/").header("forwarded", "proto=https").body(())?;
    /// let proxy = Connection::plain("10.0.0.1:4711".parse()?);
    /// let explanation = layer.explain(&request, proxy, None, Timestamp::default());
    /// assert_eq!(explanation.outcome(Check::Transport), &Outcome::Passed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.policy.proxies = proxies;
        self
    }

    /// Takes every request for one over HTTPS, without proof. Only for a service that nothing but a
    /// TLS-terminating proxy can reach; prefer [`trusted_proxies`](Self::trusted_proxies).
    pub fn assume_https(mut self) -> Self {
        self.policy.assume_https = true;
        self
    }
}
