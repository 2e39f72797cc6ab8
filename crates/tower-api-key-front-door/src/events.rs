//! The events of a file while it serves.

use std::sync::Arc;

use tower_api_key::config::{EventSettings, FrontDoor, WebhookSettings};
use tower_api_key::events::{EventRecorder, EventSink};
use tower_api_key::store::StoreError;
use tower_api_key_sqlx::{EventDelivery, EventSweep, SqlStore};

use crate::background_log;
use crate::error::OpenError;
use crate::tasks::{BackgroundTasks, asked};

/// The recorder, the sweep and the deliveries of a file.
pub(crate) struct RunningEvents {
    settings: EventSettings,
    webhooks: Vec<WebhookSettings>,
    recorder: EventRecorder,
    sweep: EventSweep,
    delivery: EventDelivery,
    has_sinks: bool,
    tasks: BackgroundTasks,
}

impl RunningEvents {
    /// Prepares what a file says, and starts nothing but the task of the recorder. Takes over what is the same in
    /// `before`, which is of the same database.
    pub(crate) fn of(
        door: &FrontDoor,
        database: Option<&SqlStore>,
        before: Option<&Arc<Self>>,
        file: &str,
    ) -> Result<Option<Arc<Self>>, OpenError> {
        // The file was checked, so its store is a database.
        let (Some(settings), Some(database)) = (door.events(), database) else { return Ok(None) };
        let webhooks = door.webhooks();
        if let Some(before) =
            before.filter(|it| it.settings == *settings && it.webhooks == webhooks)
        {
            return Ok(Some(Arc::clone(before)));
        }
        let failed = |source: StoreError| OpenError::Events { file: file.to_owned(), source };
        let sinks = sinks(settings, webhooks, file)?;
        let has_sinks = !sinks.is_empty();
        let delivery = match before {
            Some(before) => before.delivery.clone().with_sinks(sinks),
            None => EventDelivery::new(database.clone(), sinks)
                .map(|delivery| delivery.report_to(background_log::delivery)),
        };
        let sweep = EventSweep::new(database.clone()).map_err(failed)?.report_to(report);
        let running = Self {
            recorder: recorder(settings, database, before),
            sweep: set_up(sweep, settings),
            delivery: delivery.map_err(failed)?,
            has_sinks,
            settings: settings.clone(),
            webhooks: webhooks.to_vec(),
            tasks: BackgroundTasks::default(),
        };
        Ok(Some(Arc::new(running)))
    }

    /// Returns the observer of requests.
    pub(crate) fn recorder(&self) -> EventRecorder {
        self.recorder.clone()
    }

    /// Begins to sweep and to deliver, unless both run.
    pub(crate) fn start(&self) {
        self.tasks.start(|tasks, end| {
            tasks.spawn(self.sweep.clone().run_until(asked(end.clone())));
            if self.has_sinks {
                tasks.spawn(self.delivery.clone().run_until(asked(end)));
            }
        });
    }

    /// Ends both, and waits until nothing of them is under way. What they have not delivered, the next ones deliver.
    pub(crate) async fn end(&self) {
        self.tasks.end().await;
    }
}

/// Keeps the recorder of an earlier file if it records the same, with the occasions that it knows.
fn recorder(
    settings: &EventSettings,
    database: &SqlStore,
    before: Option<&Arc<RunningEvents>>,
) -> EventRecorder {
    let alike = before.filter(|it| it.settings.alarms_only == settings.alarms_only);
    if let Some(before) = alike {
        return before.recorder.clone();
    }
    let (recorder, writing) = EventRecorder::new(database.clone());
    // The task ends, after a last write, when no layer has the recorder any more.
    tokio::spawn(writing.report_to(background_log::occurrences));
    if settings.alarms_only { recorder.alarms_only() } else { recorder }
}

/// Logs why a sweep failed. The next one does what is missing.
fn report(swept: &Result<u64, StoreError>) {
    if let Err(error) = swept {
        background_log::failed("events of time cannot be written", error);
    }
}

fn set_up(mut sweep: EventSweep, settings: &EventSettings) -> EventSweep {
    if let Some(interval) = settings.interval {
        sweep = sweep.interval(interval.duration());
    }
    if let Some(kept) = settings.keep {
        sweep = sweep.keep(kept.duration());
    }
    match settings.unused_days {
        Some(days) => sweep.unused_days(days),
        None => sweep,
    }
}

/// Returns where events go: the log, and each webhook.
#[cfg_attr(not(all(feature = "tracing", feature = "webhooks")), allow(unused_variables))]
#[cfg_attr(not(feature = "webhooks"), allow(clippy::unnecessary_wraps))]
fn sinks(
    settings: &EventSettings,
    webhooks: &[WebhookSettings],
    file: &str,
) -> Result<Vec<Arc<dyn EventSink>>, OpenError> {
    #[allow(unused_mut)] // Without the features, no sink is added.
    let mut sinks: Vec<Arc<dyn EventSink>> = Vec::new();
    #[cfg(feature = "tracing")]
    if settings.log {
        let log = tower_api_key::events::TracingSink::new(EventSettings::LOG_NAME);
        sinks.push(Arc::new(log));
    }
    #[cfg(feature = "webhooks")]
    for (index, webhook) in webhooks.iter().enumerate() {
        let webhook = tower_api_key_webhooks::Webhook::of_settings(webhook);
        let invalid = |source| OpenError::Webhook { file: file.to_owned(), index, source };
        sinks.push(Arc::new(webhook.map_err(invalid)?));
    }
    Ok(sinks)
}
