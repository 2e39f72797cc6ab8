//! What policies do as time passes, by one of many processes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::due_keys::DueKeys;
use super::outcome::PolicyOutcome;
use super::recorded_uses::RecordedUses;
use crate::SqlStore;
use crate::events::{cause, new_holder, sweep_until};
use crate::row;
use tower_api_key::clock::Timestamp;
use tower_api_key::policy::{KeyPolicy, Policies};
use tower_api_key::store::StoreError;

/// The time between two sweeps unless set.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60 * 60);

/// The name of the lease that a sweep holds.
const LEASE: &str = "policies";

/// The keys after which a sweep makes sure that it still holds its lease.
const KEYS_OF_A_HOLD: usize = 200;

/// An id after all others.
const LAST: &str = "\u{10ffff}";

type OutcomeReport = Arc<dyn Fn(&Result<PolicyOutcome, StoreError>) + Send + Sync>;

/// Applies the rules of time of policies: it switches unused keys off, gives an expiry to keys that live too long, and
/// reminds owners to rotate keys.
///
/// Run it in each process. One of them sweeps at a time, and two sweeps at once do nothing twice. Each key is read again
/// in the transaction that changes it. So a key that was used or changed meanwhile is left as it is.
///
/// 1. **Unused keys** are switched off: a change by `policy` with the reason `not used since …; policy kind:partner`, and an event
///    `key.switched_off`. The time begins at the last use of any secret, or when the key was added, rotated or changed by
///    somebody, or its account was switched on, and not before the key's first instant. Changes that [`prune_trail`](SqlStore::prune_trail) has deleted do not
///    count, so keep the trail for as long as the longest rule.
/// 2. **Keys that live too long**, or that have no expiry though a policy requires one, get an expiry: the one that the
///    policy allows, and at least two weeks from now. An earlier expiry stays.
/// 3. **Reminders** are events `key.rotation_due`, one for each secret.
///
/// Keys that are revoked, expired or switched off are left as they are, and so are the keys of an account that is switched
/// off.
///
/// # Uses that are not recorded
///
/// A key counts as unused only if uses are recorded: by `record_uses` of `Cached` or `Replica`, or by a `UsageRecorder`. The
/// sweep switches keys off by a rule only if uses were recorded for its whole time, as far as sweeps have seen: a sweep
/// saw a use before that time began, and one lies within it. Otherwise [`PolicyOutcome::uses_unknown`] is true. So the first
/// rule of 90 days begins to work 90 days after its first sweep, unless
/// [`assume_uses_recorded_since`](Self::assume_uses_recorded_since) says more. A time without any recorded use that is
/// shorter than the shortest rule goes unnoticed: the keys that were used only then count as unused.
///
/// ```
/// use tower_api_key_sqlx::{PolicySweep, SqlStore};
///
/// # async fn example() -> Result<(), tower_api_key::store::StoreError> {
/// let store = SqlStore::connect("sqlite:keys.db").await?;
/// tokio::spawn(PolicySweep::new(store)?.run());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PolicySweep {
    pub(super) store: SqlStore,
    holder: String,
    interval: Duration,
    assumed_since: Option<Timestamp>,
    report: Option<OutcomeReport>,
}

impl PolicySweep {
    /// Sweeps every hour.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the system has no random numbers.
    pub fn new(store: SqlStore) -> Result<Self, StoreError> {
        let holder = new_holder()?;
        Ok(Self { store, holder, interval: BETWEEN_SWEEPS, assumed_since: None, report: None })
    }

    /// Sets the time between two sweeps.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Takes all uses as recorded since an instant, though no use from then is known. A key that was used then without a
    /// record is switched off.
    #[must_use]
    pub fn assume_uses_recorded_since(self, instant: Timestamp) -> Self {
        Self { assumed_since: Some(instant), ..self }
    }

    /// Calls a function after each sweep of [`run`](Self::run), for a log or a metric.
    #[must_use]
    pub fn report_to(
        self,
        report: impl Fn(&Result<PolicyOutcome, StoreError>) + Send + Sync + 'static,
    ) -> Self {
        Self { report: Some(Arc::new(report)), ..self }
    }

    /// Sweeps until the future is dropped. While the database cannot answer, it tries again after the interval.
    pub async fn run(self) {
        loop {
            let outcome = self.sweep().await;
            if let Some(report) = &self.report {
                report(&outcome);
            }
            sleep(self.interval).await;
        }
    }

    /// Sweeps until `end` resolves, and then gives up the lease, so that another sweep need not wait for its end. What a
    /// sweep has not done yet, the next one does.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let (store, holder) = (self.store.clone(), self.holder.clone());
        sweep_until(self.run(), end, &store, (LEASE, &holder)).await;
    }

    /// Sweeps once. Does nothing if another process sweeps.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer. The next sweep does what is missing.
    pub async fn sweep(&self) -> Result<PolicyOutcome, StoreError> {
        let mut outcome = PolicyOutcome::default();
        if !self.holds().await? {
            return Ok(outcome);
        }
        outcome.swept = true;
        let (policies, unreadable) = self.store.readable_policies().await?;
        outcome.unreadable_policies = unreadable;
        let uses = match shortest_use(&policies) {
            Some(shortest) => self.assumed(self.store.recorded_uses(shortest).await?),
            None => None,
        };
        let now = self.store.clock.now();
        for due in DueKeys::of(&policies) {
            if !due.rule.is_known(uses, now) {
                outcome.uses_unknown = true;
                continue;
            }
            if !self.sweep_keys(&due, uses, &mut outcome).await? {
                break;
            }
        }
        Ok(outcome)
    }

    /// Does what is due for the keys that a rule finds. Returns false if another process took the lease.
    async fn sweep_keys(
        &self,
        due: &DueKeys,
        uses: Option<RecordedUses>,
        outcome: &mut PolicyOutcome,
    ) -> Result<bool, StoreError> {
        let (store, mut after) = (&self.store, String::new());
        loop {
            if !self.holds().await? {
                return Ok(false);
            }
            let (found, end) = self.window(due, &after).await?;
            for (number, id) in found.into_iter().enumerate() {
                if number % KEYS_OF_A_HOLD == KEYS_OF_A_HOLD - 1 && !self.holds().await? {
                    return Ok(false);
                }
                store.do_what_is_due(&id, uses, outcome).await.map_err(cause)?;
            }
            match end {
                Some(end) => after = end,
                None => return Ok(true),
            }
        }
    }

    /// Returns the ids of keys after another that a rule finds, and the last id that was looked at unless it is the last of
    /// all.
    pub(super) async fn window(
        &self,
        due: &DueKeys,
        after: &str,
    ) -> Result<(Vec<String>, Option<String>), StoreError> {
        let store = &self.store;
        let end = store.read_slowly(due.end_of_window(&store.tables, after)).await?;
        let end = end.first().map(|last| row::text(&**last, "id")).transpose()?;
        let window = (after, end.as_deref().unwrap_or(LAST));
        let found = due.between((&*store.tables, store.dialect), window, store.clock.now());
        let found = store.read_slowly(found).await?;
        let ids = found.iter().map(|key| row::text(&**key, "id")).collect::<Result<_, _>>()?;
        Ok((ids, end))
    }

    async fn holds(&self) -> Result<bool, StoreError> {
        self.store.hold(LEASE, &self.holder).await
    }

    /// Adds what the program assumes of the recording of uses.
    pub(super) fn assumed(&self, known: Option<RecordedUses>) -> Option<RecordedUses> {
        match self.assumed_since {
            Some(since) => known.map(|known| known.assume_since(since)),
            None => known,
        }
    }
}

/// Returns the shortest time after which a policy switches unused keys off.
pub(super) fn shortest_use(policies: &Policies) -> Option<Duration> {
    policies.iter().filter_map(KeyPolicy::switches_off_unused).min()
}

impl fmt::Debug for PolicySweep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PolicySweep")
            .field("interval", &self.interval)
            .field("assumed_since", &self.assumed_since)
            .finish_non_exhaustive()
    }
}
