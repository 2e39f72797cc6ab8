//! Where events go.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::event::Event;

/// Receives events: a log, a webhook, or a type of your own.
///
/// Every event that the sink [wants](Self::wants) arrives at least once, and the events of one key arrive in their order.
/// An event may arrive again: keep the [ids](Event::id) that you have seen. After the last try of its
/// [schedule](super::RetrySchedule), an event is a dead letter, and later events of its key go on.
///
/// ```
/// use std::pin::Pin;
/// use tower_api_key::events::{DeliveryError, Event, EventKind, EventSink};
///
/// struct Mail;
///
/// impl EventSink for Mail {
///     fn name(&self) -> &str {
///         "mail"
///     }
///
///     fn wants(&self, event: &Event) -> bool {
///         event.kind == EventKind::Expiring
///     }
///
///     fn deliver<'a>(&'a self, event: &'a Event) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
///         Box::pin(async move {
///             println!("the key {} expires soon", event.key); // send a mail here
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait EventSink: Send + Sync + 'static {
    /// Returns the name of the sink. A store keeps the sink's position under this name, so the name must be the sink's own
    /// and must not change.
    fn name(&self) -> &str;

    /// Returns true if the sink wants an event. The default is true.
    fn wants(&self, event: &Event) -> bool {
        let _ = event;
        true
    }

    /// Delivers an event. A delivery that takes over 20 seconds is given up and tried again.
    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;
}

/// Why an event could not be delivered. The store keeps the text, so it must hold no secret.
///
/// ```
/// use tower_api_key::events::DeliveryError;
///
/// let error = DeliveryError::new("the receiver answered 503");
/// assert_eq!(error.to_string(), "the receiver answered 503");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DeliveryError {
    text: String,
    retry_after: Option<Duration>,
    is_final: bool,
}

impl DeliveryError {
    /// Describes a failure after which the delivery is tried again.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), retry_after: None, is_final: false }
    }

    /// Waits at least this long before the next try, and at most a day.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Makes the event a dead letter without another try.
    #[must_use]
    pub fn without_retry(self) -> Self {
        Self { is_final: true, ..self }
    }

    /// Returns how long to wait at least.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns true if another try is useless.
    pub const fn is_final(&self) -> bool {
        self.is_final
    }
}
