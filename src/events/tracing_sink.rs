//! A sink that logs by `tracing`.

use std::future::{Future, ready};
use std::pin::Pin;

use super::event::Event;
use super::sink::{DeliveryError, EventSink};

/// Logs each event by `tracing`, at the level INFO, with the target `tower_api_key::events`. The fields are `id`,
/// `sequence`, `type`, `key_id`, `account` and `data`, which is JSON.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::events::{EventSink, TracingSink};
///
/// let log: Arc<dyn EventSink> = Arc::new(TracingSink::new("log"));
/// assert_eq!(log.name(), "log");
/// ```
#[derive(Debug, Clone)]
pub struct TracingSink(String);

impl TracingSink {
    /// Creates a sink of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl EventSink for TracingSink {
    fn name(&self) -> &str {
        &self.0
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        let data = serde_json::Value::Object(event.data.clone());
        tracing::info!(
            target: "tower_api_key::events",
            id = event.id,
            sequence = event.sequence,
            r#type = event.kind.name(),
            key_id = event.key,
            account = event.account,
            data = %data,
            "event of a key"
        );
        Box::pin(ready(Ok(())))
    }
}
