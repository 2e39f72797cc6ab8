//! An observer that records events of requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::kind::EventKind;
use super::log::EventLog;
use super::near_limit;
use super::occurrence::{EventSubject, Occurrence};
use super::recent::RecentOccasions;

use crate::clock::{Clock, SystemClock};
use crate::decision::{ObservedRequest, RequestDecision, RequestEnd};
use crate::error::StoreError;
use crate::key::{KeyDigest, KeyRecord};
use crate::service::Observer;
use crate::store::{BackgroundWrites, WriteFailures};

/// The most occurrences that wait to be written. Further ones are dropped, and recorded at the next request.
const WAITING: usize = 10_000;

/// The most occurrences of one transaction.
const BATCH: usize = 250;

/// The time between two writes, and before a failed one is tried again.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// How long an alarm of a key is not repeated, and the store is not asked again for a first use.
const HOUR: Duration = Duration::from_secs(3_600);

/// Records the events of requests: the first use of a key, a key seen in clear or used elsewhere, and a quota near its
/// limit.
///
/// Requests never wait: they put what happened into a bounded channel, and a task writes it each second. If the process
/// ends without notice, what it had not written is lost. The next request that does the same is recorded then.
///
/// One key has at most one event for its first use, for each percentage of a quota in each window, and for being seen in
/// clear or used elsewhere in each hour. This holds for all processes that write into one store.
///
/// Clones are one recorder, for several layers.
///
/// ```
/// use tower_api_key::events::{EventLog, EventRecorder};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile};
///
/// fn layer(store: MemoryStore, log: impl EventLog) -> Result<ApiKeyLayer, ConfigError> {
///     let (recorder, writes) = EventRecorder::new(log); // the log is an `SqlStore`
///     tokio::spawn(writes.report_to(|error| eprintln!("events are not written: {error}")));
///     ApiKeyLayer::builder(Profile::STANDARD, store).observer(recorder).build()
/// }
/// ```
#[derive(Clone)]
pub struct EventRecorder {
    sender: Sender<ToWrite>,
    recent: Arc<RecentOccasions>,
    clock: Arc<dyn Clock>,
    observes_requests: bool,
}

/// What waits for the task that writes.
enum ToWrite {
    Occurrence(Occurrence),
    /// Is answered when all that was recorded before is written.
    Flush(oneshot::Sender<()>),
}

impl EventRecorder {
    /// Creates a recorder, and the task that writes into a log. Spawn the task: it ends once the recorder and its
    /// clones are dropped and all is written.
    pub fn new(log: impl EventLog) -> (Self, BackgroundWrites<StoreError>) {
        let (sender, receiver) = channel(WAITING);
        let recorder = Self {
            sender,
            recent: Arc::new(RecentOccasions::new()),
            clock: Arc::new(SystemClock),
            observes_requests: true,
        };
        (
            recorder,
            BackgroundWrites::new(async move |failures| write(receiver, log, failures).await),
        )
    }

    /// Records only keys that were seen in clear or used elsewhere. Then requests that are admitted cost nothing.
    #[must_use]
    pub fn alarms_only(self) -> Self {
        Self { observes_requests: false, ..self }
    }

    /// Reads the time of alarms from another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Waits until all that was recorded before is written, which takes about a second. Call it when a process ends, and
    /// bound the wait: while the log cannot answer, it does not end.
    pub async fn flush(&self) {
        let (answer, flushed) = oneshot::channel();
        // A task that has ended writes nothing more, so there is nothing to wait for.
        if self.sender.send(ToWrite::Flush(answer)).await.is_ok() {
            let _ = flushed.await;
        }
    }

    /// Returns false if the channel is full. The next request records the occurrence then.
    fn send(&self, occurrence: Occurrence) -> bool {
        self.sender.try_send(ToWrite::Occurrence(occurrence)).is_ok()
    }

    /// Records the quotas of a request that are nearly used up.
    fn record_near_limits(&self, request: &ObservedRequest<'_>, record: &KeyRecord) {
        let now = request.at();
        for (quota, status) in request.quotas().filter(|(quota, _)| !quota.is_in_shadow()) {
            let Some(percent) = near_limit::passed(status) else { continue };
            let until = near_limit::end_of_window(quota, status, now);
            let occasion = (record.account().id(), record.id(), quota.name(), percent);
            self.recent.once(occasion, now, until, || {
                self.send(near_limit::occurrence(record, (quota, status), percent, now))
            });
        }
    }
}

impl Observer for EventRecorder {
    fn observes_requests(&self) -> bool {
        self.observes_requests
    }

    fn observes_admissions(&self) -> bool {
        false
    }

    fn observes_latencies(&self) -> bool {
        false
    }

    fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
        let Some(record) = request.record() else { return };
        let now = request.at();
        if request.decision() == RequestDecision::Admitted {
            // Not for ever: a key that is deleted and added again has a first use again.
            self.recent.once(record.id(), now, now.plus(HOUR), || {
                let subject = EventSubject::Key(record.id().to_string());
                self.send(Occurrence::new(EventKind::FirstUse, subject, now))
            });
        }
        self.record_near_limits(request, record);
    }

    fn key_exposed(&self, digest: &KeyDigest) {
        let now = self.clock.now();
        self.recent.once(digest.as_bytes(), now, now.plus(HOUR), || {
            let seen = Occurrence::new(EventKind::SeenInClear, EventSubject::Digest(*digest), now);
            self.send(seen.once("hour", now.plus(HOUR)))
        });
    }

    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        let now = self.clock.now();
        self.recent.once((record.id(), "elsewhere"), now, now.plus(HOUR), || {
            let subject = EventSubject::Key(record.id().to_string());
            let used = Occurrence::new(EventKind::UsedElsewhere, subject, now)
                .with("client", client.map(|client| client.to_string()));
            self.send(used.once("hour", now.plus(HOUR)))
        });
    }
}

/// Writes occurrences until the recorder is dropped. A store that cannot answer is tried again.
async fn write(
    mut waiting: Receiver<ToWrite>,
    log: impl EventLog,
    mut failures: WriteFailures<StoreError>,
) {
    let mut received = Vec::new();
    while waiting.recv_many(&mut received, BATCH).await > 0 {
        let (mut batch, mut flushes) = (Vec::with_capacity(received.len()), Vec::new());
        for waiting in received.drain(..) {
            match waiting {
                ToWrite::Occurrence(occurrence) => batch.push(occurrence),
                ToWrite::Flush(answer) => flushes.push(answer),
            }
        }
        while !batch.is_empty()
            && failures.note(&log.record(batch.clone()).await)
            && !waiting.is_closed()
        {
            sleep(BETWEEN_WRITES).await;
        }
        for flush in flushes {
            // The caller may have stopped to wait.
            let _ = flush.send(());
        }
        if waiting.is_empty() && !waiting.is_closed() {
            sleep(BETWEEN_WRITES).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::event::Event;
    use super::super::log::EventFuture;
    use super::*;
    use crate::clock::Timestamp;

    /// Fails this many times, and then takes what it gets.
    #[derive(Clone, Default)]
    struct Failing(Arc<AtomicUsize>);

    impl EventLog for Failing {
        fn record(&self, occurrences: Vec<Occurrence>) -> EventFuture<'_, u64> {
            let one_less = |left: usize| left.checked_sub(1);
            let fails = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
            let away = StoreError::new("the database is away");
            Box::pin(async move { if fails { Err(away) } else { Ok(occurrences.len() as u64) } })
        }

        fn events(&self, _: u64, _: usize) -> EventFuture<'_, Vec<Event>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_the_log_is_told_once() {
        let (log, told) = (Failing::default(), Arc::new(Mutex::new(Vec::new())));
        let (recorder, writes) = EventRecorder::new(log.clone());
        let report = Arc::clone(&told);
        tokio::spawn(writes.report_to(move |error| report.lock().unwrap().push(error.to_string())));
        for (failures, outages) in [(3, 1), (0, 1), (1, 2)] {
            log.0.store(failures, Ordering::SeqCst);
            let key = EventSubject::Key("key_1".to_owned());
            assert!(recorder.send(Occurrence::new(EventKind::FirstUse, key, Timestamp::default())));
            recorder.flush().await;
            let told = told.lock().unwrap();
            assert_eq!(told.len(), outages, "{told:?}");
            assert!(told.iter().all(|error| error.contains("the database is away")), "{told:?}");
        }
    }
}
