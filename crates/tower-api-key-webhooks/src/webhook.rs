//! A webhook: a sink that sends events to a URL.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::timeout;

use super::builder::WebhookBuilder;
use super::dial::dial;
use super::endpoint::Endpoint;
use super::exchange::{Message, send};
use super::failure::late;
use super::network::Network;
use super::secret::{SigningSecret, signatures};
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::events::{DeliveryError, Event, EventKind, EventSink};

/// Sends events to a URL, after the Standard Webhooks specification.
///
/// The headers of a message are `webhook-id`, the event's id; `webhook-timestamp`, the time of this try in seconds; and
/// `webhook-signature`. The body is [`Event::payload`]. A receiver answers with a status from 200 to 299. Any other one is
/// a failure, and the event is sent again, except after 410. `Retry-After` in seconds counts, up to a day.
///
/// ```
/// use tower_api_key::events::EventKind;
/// use tower_api_key_webhooks::Webhook;
///
/// let webhook = Webhook::builder("billing", "https://hooks.example.com/keys")
///     .secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
///     .kinds([EventKind::Created, EventKind::Revoked])
///     .build()?;
/// # Ok::<(), tower_api_key_webhooks::InvalidWebhook>(())
/// ```
pub struct Webhook {
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    pub(super) secrets: Vec<SigningSecret>,
    pub(super) kinds: Option<HashSet<EventKind>>,
    pub(super) account: Option<String>,
    pub(super) timeout: Duration,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) allow_private: bool,
    pub(super) network: Arc<dyn Network>,
}

impl Webhook {
    /// Returns a builder. `name` is the name of the [sink](EventSink::name), under which a store keeps what it has
    /// received. The URL may change later, and the name must not.
    pub fn builder(name: impl Into<String>, url: impl Into<String>) -> WebhookBuilder {
        WebhookBuilder::new(name.into(), url.into())
    }

    /// Returns the body of a message. A customer does not see who made a change, and why.
    fn payload(&self, event: &Event) -> String {
        if self.account.is_none() {
            return event.payload();
        }
        let mut event = event.clone();
        event.data.remove("author");
        event.data.remove("reason");
        event.payload()
    }

    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let (id, seconds, body) =
            (event.id.clone(), SystemClock.now().unix_seconds(), self.payload(event));
        let signatures = signatures(&self.secrets, &id, seconds, &body);
        let message = Message { id, seconds, signatures, body };
        let exchange = async {
            let (network, tls) = (&*self.network, self.tls.as_ref());
            let stream = dial(network, &self.endpoint, tls, self.allow_private).await?;
            send(stream, &self.endpoint, message).await
        };
        timeout(self.timeout, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}

impl EventSink for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self, event: &Event) -> bool {
        let of_kind = self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind));
        of_kind && self.account.as_ref().is_none_or(|account| *account == event.account)
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        Box::pin(self.send(event))
    }
}

impl fmt::Debug for Webhook {
    /// Shows the name. The URL may hold a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Webhook").field("name", &self.name).finish_non_exhaustive()
    }
}
