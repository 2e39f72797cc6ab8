//! A sink that writes lines.

use std::fmt;
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::Mutex;

use super::event::Event;
use super::sink::{DeliveryError, EventSink};

/// Writes each event as a line of JSON: a log of events.
///
/// ```
/// use tower_api_key::events::EventWriter;
///
/// let log = EventWriter::new("log", std::io::stderr());
/// ```
pub struct EventWriter<W> {
    name: String,
    writer: Mutex<W>,
}

impl<W: Write + Send + 'static> EventWriter<W> {
    /// Creates a sink of this name that writes into a file, a stream or a buffer.
    pub fn new(name: impl Into<String>, writer: W) -> Self {
        Self { name: name.into(), writer: Mutex::new(writer) }
    }

    fn write(&self, event: &Event) -> Result<(), DeliveryError> {
        let failed = || DeliveryError::new("the log cannot be written: check its disk and rights");
        let mut writer = self.writer.lock().map_err(|_| failed())?;
        // One call, so that lines of several processes do not mix.
        let line = event.payload() + "\n";
        writer.write_all(line.as_bytes()).and_then(|()| writer.flush()).map_err(|_| failed())
    }
}

impl<W: Write + Send + 'static> EventSink for EventWriter<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        Box::pin(std::future::ready(self.write(event)))
    }
}

impl<W> fmt::Debug for EventWriter<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventWriter").field("name", &self.name).finish_non_exhaustive()
    }
}
