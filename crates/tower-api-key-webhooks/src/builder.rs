//! Builds a webhook.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::invalid::InvalidWebhook;
use super::network::SystemNetwork;
use super::secret::SigningSecret;
use super::tls;
use super::webhook::Webhook;
use tower_api_key::events::EventKind;

/// The time of a delivery unless set.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Collects the settings of a [`Webhook`].
#[must_use]
pub struct WebhookBuilder {
    name: String,
    /// May hold a token of the receiver, so it is never shown.
    url: String,
    secrets: Vec<Result<SigningSecret, InvalidWebhook>>,
    kinds: Option<HashSet<EventKind>>,
    account: Option<String>,
    timeout: Duration,
    ca: Option<Vec<u8>>,
    allow_http: bool,
    allow_private: bool,
}

impl WebhookBuilder {
    pub(super) fn new(name: String, url: String) -> Self {
        Self {
            name,
            url,
            secrets: Vec::new(),
            kinds: None,
            account: None,
            timeout: TIMEOUT,
            ca: None,
            allow_http: false,
            allow_private: false,
        }
    }

    /// Adds a secret: `whsec_` with 24 to 64 random bytes in base64. Each message has a signature of each secret. So a
    /// receiver can move to a new secret while both are set.
    pub fn secret(mut self, secret: impl AsRef<str>) -> Self {
        self.secrets.push(SigningSecret::read(secret.as_ref()));
        self
    }

    /// Sends only events of these kinds.
    pub fn kinds(self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        Self { kinds: Some(kinds.into_iter().collect()), ..self }
    }

    /// Sends only events of one account, as to a customer, and without `author` and `reason`: those are words of
    /// operators. An event `key.leaked` still tells that a key leaked.
    pub fn account(self, account: impl Into<String>) -> Self {
        Self { account: Some(account.into()), ..self }
    }

    /// Sets the longest time of a delivery, 15 seconds unless set and at most.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Trusts the certificate authorities of this text in the format PEM, instead of those of the system.
    pub fn ca(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { ca: Some(pem.into()), ..self }
    }

    /// Allows a URL that begins with `http`. Anyone on the way reads the events, and can keep them back.
    pub fn insecure_allow_http(self) -> Self {
        Self { allow_http: true, ..self }
    }

    /// Allows private, local and reserved addresses. Set it only if no customer chooses the URL: with such a URL, a
    /// customer sends requests to servers inside of your network.
    pub fn insecure_allow_private_addresses(self) -> Self {
        Self { allow_private: true, ..self }
    }

    /// Builds the webhook.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidWebhook`] that names the setting.
    pub fn build(self) -> Result<Webhook, InvalidWebhook> {
        let endpoint = Endpoint::read(&self.url, self.allow_http, self.allow_private)?;
        if self.secrets.is_empty() {
            return Err(InvalidWebhook::NoSecret);
        }
        if self.kinds.as_ref().is_some_and(HashSet::is_empty) {
            return Err(InvalidWebhook::NoKinds);
        }
        if self.timeout.is_zero() || self.timeout > TIMEOUT {
            return Err(InvalidWebhook::Timeout);
        }
        let tls = endpoint.has_tls.then(|| tls::config(self.ca.as_deref())).transpose()?;
        Ok(Webhook {
            name: self.name,
            endpoint,
            secrets: self.secrets.into_iter().collect::<Result<_, _>>()?,
            kinds: self.kinds,
            account: self.account,
            timeout: self.timeout,
            tls,
            allow_private: self.allow_private,
            network: Arc::new(SystemNetwork),
        })
    }
}

impl fmt::Debug for WebhookBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebhookBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
