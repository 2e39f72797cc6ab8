//! Builder methods for WebSockets.

use super::ApiKeyLayerBuilder;

impl ApiKeyLayerBuilder {
    /// Selects this protocol in the answer to a WebSocket handshake, if the client offers it and the service selects
    /// none. Use it if the service does not know the protocols of WebSockets.
    ///
    /// A browser closes the socket if it has offered protocols and the answer selects none (RFC 6455 §4.1). A page that
    /// sends its key in a [protocol](crate::profile::CredentialSource::websocket_protocol) has always offered one.
    ///
    /// ```
    /// use tower_api_key::profile::CredentialSource;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// // new WebSocket(url, ["chat.v1", "api-key." + key])
    /// let credentials =
    ///     &[CredentialSource::bearer(), CredentialSource::websocket_protocol("api-key.")];
    /// let profile = Profile { credentials, ..Profile::STANDARD };
    /// let builder = ApiKeyLayer::builder(profile, MemoryStore::new());
    /// let layer = builder.select_websocket_protocol("chat.v1").build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn select_websocket_protocol(mut self, protocol: impl Into<String>) -> Self {
        self.options.websocket_protocol = Some(protocol.into());
        self
    }
}
