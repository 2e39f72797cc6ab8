//! Delivers events to sinks.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::delivery_report::{DeliveryReport, DeliveryReporter};
use super::lease::new_holder;
use super::page::{self, Ended};
use super::run_end::{GRACE, RunEnd, give_up};
use crate::SqlStore;
use tower_api_key::events::{EventSink, RetrySchedule};
use tower_api_key::store::StoreError;

/// The longest name of a sink, in bytes.
const LONGEST_NAME: usize = 100;

/// The time between two looks for new events unless set.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Delivers the events of a store to sinks: at least once, and the events of one key in their order.
///
/// Run it in each process. For each sink, one process delivers at a time. If it ends without notice, another goes on after
/// at most 60 seconds. A sink that is new gets the events that are written from its first run on.
///
/// A delivery looks for events each second. In PostgreSQL, the process that writes events also notifies the delivery, which
/// looks at once. All deliveries, caches and replicas of a process to the same URL share one connection for notices. Behind
/// a pooler in transaction mode, set [`listen_url`](crate::SqlStoreBuilder::listen_url).
///
/// A failed delivery is tried again after the waits of a [`RetrySchedule`]. Until then, later events of the same key wait,
/// and those of other keys do not. After the last try, the event is a [dead letter](SqlStore::dead_events).
///
/// Each process judges a lease by its own clock. So the clocks should agree within 10 seconds.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::events::EventWriter;
/// use tower_api_key_sqlx::{EventDelivery, SqlStore};
///
/// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
/// let store = SqlStore::connect("sqlite:keys.db").await?;
/// let log = EventWriter::new("log", std::io::stdout());
/// let delivery = EventDelivery::new(store, [Arc::new(log) as _])?;
/// tokio::spawn(delivery.run());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EventDelivery {
    store: SqlStore,
    sinks: Vec<Arc<dyn EventSink>>,
    schedule: RetrySchedule,
    holder: String,
    look_every: Duration,
    reporter: DeliveryReporter,
}

/// What a look for events came to.
struct Look {
    delivered: u64,
    /// Whether this process delivers to the sink.
    holds: bool,
}

impl EventDelivery {
    /// Delivers to these sinks.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if two sinks have the same name, or if a name is empty, is longer than 100 bytes, or has
    /// control characters. Also if the system has no random numbers.
    pub fn new(
        store: SqlStore,
        sinks: impl IntoIterator<Item = Arc<dyn EventSink>>,
    ) -> Result<Self, StoreError> {
        let sinks = checked(sinks)?;
        let holder = new_holder()?;
        let schedule = RetrySchedule::default();
        let reporter = DeliveryReporter::default();
        Ok(Self { store, sinks, schedule, holder, look_every: BETWEEN_LOOKS, reporter })
    }

    /// Sets when failed deliveries are tried again.
    #[must_use]
    pub fn schedule(self, schedule: RetrySchedule) -> Self {
        Self { schedule, ..self }
    }

    /// Replaces the sinks, for a program that has read them anew. The leases stay those of this delivery, so the next
    /// [`run`](Self::run) waits for none of them. End the earlier run before, by [`run_until`](Self::run_until).
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), except for that of random numbers.
    pub fn with_sinks(
        self,
        sinks: impl IntoIterator<Item = Arc<dyn EventSink>>,
    ) -> Result<Self, StoreError> {
        Ok(Self { sinks: checked(sinks)?, ..self })
    }

    /// Sets the time between two looks for events, 1 second by default. A notice makes the delivery look earlier. Without
    /// notices, an event waits for at most this long. So do a try that is due again, and a process that takes over from one
    /// that ended.
    #[must_use]
    pub fn look_every(self, time: Duration) -> Self {
        Self { look_every: time, ..self }
    }

    /// Calls a function when the database stops to answer, and for each event that becomes a dead letter.
    #[must_use]
    pub fn report_to(self, report: impl Fn(DeliveryReport<'_>) + Send + Sync + 'static) -> Self {
        Self { reporter: DeliveryReporter::new(report), ..self }
    }

    /// Delivers until the future is dropped. While the database cannot answer, each look tries again.
    pub async fn run(self) {
        self.run_until(pending()).await;
    }

    /// Delivers until `end` resolves, and then gives up the leases, so that another delivery goes on at once.
    ///
    /// What is being sent then has a second to end. A later delivery sends again what did not end. When the future
    /// resolves, nothing of this delivery is under way any more.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tokio::sync::oneshot;
    /// use tower_api_key::events::EventWriter;
    /// use tower_api_key_sqlx::{EventDelivery, SqlStore};
    ///
    /// # async fn example(store: SqlStore) -> Result<(), Box<dyn std::error::Error>> {
    /// let log = EventWriter::new("log", std::io::stdout());
    /// let delivery = EventDelivery::new(store, [Arc::new(log) as _])?;
    /// let (end, ended) = oneshot::channel::<()>();
    /// let running = tokio::spawn(delivery.run_until(async { drop(ended.await) }));
    /// // serve requests
    /// drop(end);
    /// running.await?;
    /// # Ok(()) }
    /// ```
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let (asks, end_of_run) = RunEnd::new();
        let mut tasks = JoinSet::new();
        for sink in self.sinks.clone() {
            tasks.spawn(self.clone().serve(sink, end_of_run.clone()));
        }
        tokio::select! {
            () = end => {}
            () = all_ended(&mut tasks) => {}
        }
        drop(asks);
        all_ended(&mut tasks).await;
    }

    /// Delivers to a sink until the end of the run.
    async fn serve(self, sink: Arc<dyn EventSink>, mut end: RunEnd) {
        #[cfg(feature = "postgres")]
        let mut wake = super::wake::EventWake::of(&self.store);
        let (mut page, mut cut_off) = (JoinSet::new(), end.clone());
        let mut is_failing = false;
        loop {
            let look = tokio::select! {
                look = self.deliver_to(&sink, &mut page, &end) => Some(look),
                () = async { cut_off.come().await; sleep(GRACE).await } => None,
            };
            page.shutdown().await;
            // The next look tries again.
            if let (Some(Err(error)), false) = (&look, is_failing) {
                self.reporter.report(DeliveryReport::Failed { sink: sink.name(), error });
            }
            is_failing = matches!(look, Some(Err(_)));
            // A process that does not deliver to the sink waits for the end of a lease. Notices are no news to it. After
            // a failure, they must not make it ask the database more often.
            let wakes = matches!(look, Some(Ok(Look { holds: true, .. })));
            #[cfg(feature = "postgres")]
            let pause = wake.wait_if(wakes, self.look_every);
            #[cfg(not(feature = "postgres"))]
            let pause = sleep(self.look_every);
            #[cfg(not(feature = "postgres"))]
            let _ = wakes;
            tokio::select! {
                () = end.come() => break,
                () = pause => {}
            }
        }
        give_up(&self.store, &lease_of(&*sink), &self.holder).await;
    }

    /// Delivers what is due now, and returns the number of delivered events. For a program that runs from time to time.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer. Events that were not delivered stay in the queue.
    pub async fn deliver_due(&self) -> Result<u64, StoreError> {
        let mut delivered = 0;
        let (_asks, end) = RunEnd::new();
        for sink in &self.sinks {
            delivered += self.deliver_to(sink, &mut JoinSet::new(), &end).await?.delivered;
        }
        Ok(delivered)
    }

    async fn deliver_to(
        &self,
        sink: &Arc<dyn EventSink>,
        page: &mut JoinSet<Ended>,
        end: &RunEnd,
    ) -> Result<Look, StoreError> {
        let (store, name) = (&self.store, sink.name());
        store.add_sink(name).await?;
        let lease = lease_of(&**sink);
        let mut look = Look { delivered: 0, holds: false };
        while !end.has_come() && store.hold(&lease, &self.holder).await? {
            look.holds = true;
            store.enqueue(&**sink).await?;
            let due = store.due(name, page::SIZE).await?;
            if due.is_empty() {
                return Ok(look);
            }
            page::deliver(sink, due, page);
            while let Some(ended) = page.join_next().await {
                let (due, result) = ended.map_err(StoreError::new)?;
                let Err(error) = result else {
                    store.note_delivered(name, &due.event).await?;
                    look.delivered += 1;
                    continue;
                };
                let asked = error.retry_after();
                let wait = if error.is_final() {
                    None
                } else {
                    self.schedule.wait(due.tries + 1, asked, random())
                };
                let next = wait.map(|wait| store.clock.now().plus(wait));
                let text = error.to_string();
                store.note_failed(name, &due, next, &text).await?;
                if next.is_none() {
                    let (event, error) = (&due.event, text.as_str());
                    self.reporter.report(DeliveryReport::Dead { sink: name, event, error });
                }
            }
        }
        look.holds = false;
        Ok(look)
    }
}

impl fmt::Debug for EventDelivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sinks.iter().map(|sink| sink.name()).collect();
        formatter.debug_struct("EventDelivery").field("sinks", &names).finish_non_exhaustive()
    }
}

/// Waits until all tasks have ended.
async fn all_ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Returns the name of the lease of those who deliver to a sink.
fn lease_of(sink: &dyn EventSink) -> String {
    format!("deliver {}", sink.name())
}

/// Returns sinks that have names of their own.
fn checked(
    sinks: impl IntoIterator<Item = Arc<dyn EventSink>>,
) -> Result<Vec<Arc<dyn EventSink>>, StoreError> {
    let sinks: Vec<_> = sinks.into_iter().collect();
    for (place, sink) in sinks.iter().enumerate() {
        let name = sink.name();
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            let wrong = "the name of a sink must have 1 to 100 bytes and no control characters";
            return Err(StoreError::new(wrong));
        }
        if sinks.iter().skip(place + 1).any(|other| other.name() == name) {
            return Err(StoreError::new("two sinks have the same name: give each its own"));
        }
    }
    Ok(sinks)
}

/// Returns a number between 0 and 1, or the middle if the system has no random numbers.
fn random() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
