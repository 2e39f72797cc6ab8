//! A webhook, as it stands in the file of a front door.

use tower_api_key::config::WebhookSettings;

use super::invalid::InvalidWebhook;
use super::webhook::Webhook;

impl Webhook {
    /// Builds the webhook of an item of `[[webhooks]]`.
    ///
    /// ```
    /// use tower_api_key::config::{FileFormat, FrontDoor};
    /// use tower_api_key_webhooks::{InvalidWebhook, Webhook};
    ///
    /// let file = r#"
    /// profile.base = "standard"
    /// events = {}
    /// [[webhooks]]
    /// name = "billing"
    /// url = "http://hooks.example.com/keys"
    /// secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    /// "#;
    /// let door = FrontDoor::parse("gate.toml", file, FileFormat::Toml)?;
    /// let built = door.webhooks().iter().map(Webhook::of_settings).collect::<Result<Vec<_>, _>>();
    /// assert!(matches!(built, Err(InvalidWebhook::Http)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidWebhook`] that names the field.
    pub fn of_settings(settings: &WebhookSettings) -> Result<Self, InvalidWebhook> {
        let mut builder = Self::builder(&settings.name, settings.url.expose());
        for secret in std::iter::once(&settings.secret).chain(&settings.more_secrets) {
            builder = builder.secret(secret.expose());
        }
        if let Some(kinds) = settings.kinds() {
            builder = builder.kinds(kinds);
        }
        if let Some(account) = &settings.account {
            builder = builder.account(account);
        }
        if let Some(timeout) = settings.timeout {
            builder = builder.timeout(timeout.duration());
        }
        if let Some(pem) = &settings.ca {
            builder = builder.ca(pem.as_str());
        }
        if settings.insecure_allow_http {
            builder = builder.insecure_allow_http();
        }
        if settings.insecure_allow_private_addresses {
            builder = builder.insecure_allow_private_addresses();
        }
        builder.build()
    }
}
