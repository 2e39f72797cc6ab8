//! The events that come from time, written by one of many processes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::lease::new_holder;
use super::run_end::sweep_until;
use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{EventKind, EventLog, EventSubject, Occurrence};
use tower_api_key::store::StoreError;

const DAY: Duration = Duration::from_secs(86_400);

/// The days before the expiry of a key at which it has an event.
const WARNINGS: [u32; 3] = [1, 7, 30];

/// A key that expired longer ago has no event: events were not kept then.
const EXPIRED_WITHIN: Duration = Duration::from_secs(30 * 86_400);

/// How long events are kept unless set.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The lease of a sweep. A long one takes it again and again.
const LEASE_NAME: &str = "sweep";

/// The time between two sweeps unless set.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(15 * 60);

/// Writes the events that come from time: a key that expires soon, has expired, or is not used. It also deletes old events.
///
/// Run it in each process. One of them sweeps at a time, and two sweeps at once write no event twice.
///
/// A key has an event 30 days, 7 days and 1 day before its expiry. A key that lives shorter than that has only the later
/// ones. After a time without sweeps, a key has only the latest of them.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_sqlx::{EventSweep, SqlStore};
///
/// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
/// let store = SqlStore::connect("sqlite:keys.db").await?;
/// let sweep = EventSweep::new(store)?.unused_days(90);
/// tokio::spawn(sweep.run());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EventSweep {
    store: SqlStore,
    holder: String,
    unused_days: Option<u32>,
    kept: Duration,
    interval: Duration,
    report: Option<SweepReport>,
}

/// The function that a sweep calls.
type SweepReport = Arc<dyn Fn(&Result<u64, StoreError>) + Send + Sync>;

impl EventSweep {
    /// Sweeps every 15 minutes, and keeps events for 30 days.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the system has no random numbers.
    pub fn new(store: SqlStore) -> Result<Self, StoreError> {
        let holder = new_holder()?;
        let interval = BETWEEN_SWEEPS;
        Ok(Self { store, holder, unused_days: None, kept: KEPT, interval, report: None })
    }

    /// Writes an event for each active key that was not used for this number of days, or never since its creation. Last
    /// uses must be recorded: see `record_uses` of `Cached` and `Replica`. A sweep then reads all keys.
    #[must_use]
    pub fn unused_days(self, days: u32) -> Self {
        Self { unused_days: Some(days), ..self }
    }

    /// Sets how long events are kept. A sink that no process has served for that time loses events.
    #[must_use]
    pub fn keep(self, time: Duration) -> Self {
        Self { kept: time, ..self }
    }

    /// Sets the time between two sweeps.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Calls a function after each sweep of [`run`](Self::run), for a log or a metric.
    #[must_use]
    pub fn report_to(
        self,
        report: impl Fn(&Result<u64, StoreError>) + Send + Sync + 'static,
    ) -> Self {
        Self { report: Some(Arc::new(report)), ..self }
    }

    /// Sweeps until the future is dropped. While the database cannot answer, it tries again after the interval.
    pub async fn run(self) {
        loop {
            let swept = self.sweep().await;
            if let Some(report) = &self.report {
                report(&swept);
            }
            sleep(self.interval).await;
        }
    }

    /// Sweeps until `end` resolves, and then gives up the lease, so that another sweep need not wait for its end. What a
    /// sweep has not done yet, the next one does.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let (store, holder) = (self.store.clone(), self.holder.clone());
        sweep_until(self.run(), end, &store, (LEASE_NAME, &holder)).await;
    }

    /// Sweeps once, and returns the number of events. Returns 0 if another process sweeps.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer. The next sweep writes the events that are missing.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        if !self.store.hold(LEASE_NAME, &self.holder).await? {
            return Ok(0);
        }
        let now = self.store.clock.now();
        let mut written = self.sweep_expiries(now).await?;
        if let Some(days) = self.unused_days {
            written += self.sweep_unused(now, days).await?;
        }
        let ended = Statement::new(&self.store.events.forget_occasions).bind(row::column(now));
        let mut session = self.store.transaction().await?;
        session.execute(ended).await?;
        session.commit().await?;
        self.store.prune_events(earlier(now, self.kept)).await?;
        Ok(written)
    }

    async fn sweep_expiries(&self, now: Timestamp) -> Result<u64, StoreError> {
        let to = row::column(now.plus(days(30)));
        let mut place = (row::column(earlier(now, EXPIRED_WITHIN)), String::new());
        let mut written = 0;
        while self.store.hold(LEASE_NAME, &self.holder).await? {
            let asked = Statement::new(&self.store.events.expiring)
                .bind(place.0)
                .bind(place.1.as_str())
                .bind(to);
            let rows = self.store.read(asked).await?;
            let mut found = Vec::with_capacity(rows.len());
            for key in &rows {
                place = (row::number(&**key, "expires")?, row::text(&**key, "id")?);
                let created = row::timestamp(row::number(&**key, "created")?);
                found.extend(of_expiry(&place.1, created, row::timestamp(place.0), now));
            }
            if rows.is_empty() {
                break;
            }
            written += self.store.record(found).await?;
        }
        Ok(written)
    }

    async fn sweep_unused(&self, now: Timestamp, unused: u32) -> Result<u64, StoreError> {
        let limit = earlier(now, days(unused));
        let (mut after, mut written) = (String::new(), 0);
        while self.store.hold(LEASE_NAME, &self.holder).await? {
            let asked = Statement::new(&self.store.events.end_of_span).bind(after.as_str());
            let rows = self.store.read(asked).await?;
            let end = rows.first().map(|row| row::optional(&**row, "id")).transpose()?;
            let Some(end) = end.flatten() else { break };
            let asked = Statement::new(&self.store.events.unused)
                .bind(row::column(limit))
                .bind(row::column(now))
                .bind(after.as_str())
                .bind(end.as_str());
            let rows = self.store.read_within(asked, self.store.settings.change_timeout).await?;
            let mut found = Vec::with_capacity(rows.len());
            for key in &rows {
                let id = row::text(&**key, "id")?;
                let created = row::timestamp(row::number(&**key, "created")?);
                let used = row::optional_number(&**key, "last_used")?.map(row::timestamp);
                let since = used.unwrap_or(created);
                let event = Occurrence::new(EventKind::Unused, EventSubject::Key(id), now)
                    .once(format!("{unused} days since {since}"), Timestamp::MAX)
                    .with("days", unused)
                    .with("last_used", used.map(|used| used.to_string()));
                found.push(event);
            }
            written += self.store.record(found).await?;
            after = end;
        }
        Ok(written)
    }
}

impl fmt::Debug for EventSweep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventSweep")
            .field("unused_days", &self.unused_days)
            .field("keep", &self.kept)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// Returns what a sweep records of a key that expires or has expired.
fn of_expiry(
    key: &str,
    created: Timestamp,
    expires: Timestamp,
    now: Timestamp,
) -> Option<Occurrence> {
    let subject = EventSubject::Key(key.to_owned());
    let name = expires.to_string();
    if expires <= now {
        // The next sweeps find the key for as long as this.
        let until = expires.plus(EXPIRED_WITHIN * 2);
        let expired = Occurrence::new(EventKind::Expired, subject, now);
        return Some(expired.once(&*name, until).with("expires", name));
    }
    let left = expires.since(now);
    let warning = WARNINGS.into_iter().find(|warning| left <= days(*warning))?;
    if expires.since(created) <= days(warning) {
        return None;
    }
    let expiring = Occurrence::new(EventKind::Expiring, subject, now);
    let expiring = expiring.once(format!("{warning} days before {name}"), expires);
    Some(expiring.with("days", warning).with("expires", name))
}

fn days(count: u32) -> Duration {
    DAY * count
}

fn earlier(now: Timestamp, time: Duration) -> Timestamp {
    let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_unix_nanoseconds(now.unix_nanoseconds().saturating_sub(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_latest_warning_that_is_due() {
        let at = |day: u32| Timestamp::from_unix_seconds(u64::from(day) * 86_400);
        for (created, expires, now, warning) in [
            (0, 100, 69, None),
            (0, 100, 70, Some(30)),
            (0, 100, 92, Some(30)),
            (0, 100, 93, Some(7)),
            (0, 100, 99, Some(1)),
            (80, 100, 80, None),
            (80, 100, 93, Some(7)),
            (99, 100, 99, None),
        ] {
            let found = of_expiry("key", at(created), at(expires), at(now));
            let found = found.map(|found| found.data["days"].clone());
            assert_eq!(found, warning.map(|days: u32| days.into()), "{created} {expires} {now}");
        }
        let expired = of_expiry("key", at(0), at(100), at(100)).unwrap();
        assert_eq!(expired.kind, EventKind::Expired);
    }
}
