//! Proofs that a listener has reported every change, from the audit trail.
//!
//! A notification alone proves nothing. PostgreSQL sends it after the change is visible, and a pooler may drop
//! it without a notice. So the trail is read over the pool of the lookups: what a lookup could see, the trail
//! has. Its numbers follow the order in which changes became visible, because one writer at a time writes it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connect::SqlStore;
use super::deadline::after;
use super::driver::Row;
use super::feed::{LineStep, TrailLines, TrailPlace, from};
use super::row;
use super::statement::Statement;
use tower_api_key::key::AccountId;
use tower_api_key::store::{Action, FeedPosition, Invalidation, StoreError};

/// The default time between two proofs.
const EVERY: Duration = Duration::from_millis(500);

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An answer of the trail that has not come yet, and the instant at which it was asked.
type Asking = Pin<Box<dyn Future<Output = (Instant, Result<TrailAnswer, StoreError>)> + Send>>;

/// The lines behind a position, and the end of the trail.
struct TrailAnswer {
    rows: Vec<Row>,
    end: End,
}

/// The end of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    position: FeedPosition,
    /// Names the run of the server that answered: another one may have lost changes.
    server: String,
}

/// Follows the trail.
pub(super) struct TrailReader {
    store: SqlStore,
    pub(super) every: Duration,
    pause: Duration,
    next: Instant,
    seen: Option<End>,
    /// Names the server that answered last.
    server: Option<String>,
    asking: Option<Asking>,
    found: VecDeque<Invalidation>,
}

impl TrailReader {
    pub(super) fn new(store: SqlStore) -> Self {
        // It asks nothing before `begin`: everything would be reported as changed twice.
        let (found, next) = (VecDeque::new(), after(Duration::MAX));
        Self {
            store,
            every: EVERY,
            pause: EVERY,
            next,
            seen: None,
            server: None,
            asking: None,
            found,
        }
    }

    /// Reads where the trail ends now. Its caller then reports `Everything`, which has all changes before.
    pub(super) async fn begin(&mut self) {
        (self.seen, self.asking, self.pause) = (None, None, self.every);
        self.next = Instant::now();
        let (_, answer) = self.ask().await;
        // Without an answer, a later one reports `Everything` once more.
        self.seen = answer
            .and_then(|answer| {
                self.check(&answer.end)?;
                Ok(answer.end)
            })
            .ok();
        self.found.clear();
        self.next = after(self.every);
    }

    /// Returns what was found, one after another, and then the proof.
    pub(super) fn pop(&mut self) -> Option<Invalidation> {
        self.found.pop_front()
    }

    /// Waits until something is found. May be dropped at any time.
    pub(super) async fn wait(&mut self) {
        while self.found.is_empty() {
            if self.asking.is_none() {
                sleep_until(self.next).await;
                self.asking = Some(Box::pin(self.ask()));
            }
            let Some(asking) = &mut self.asking else { continue };
            let (asked, answer) = asking.await;
            self.asking = None;
            // Records grow old meanwhile, which is the promise.
            if answer.and_then(|answer| self.read(asked, answer)).is_err() {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                self.next = after(self.pause);
            } else {
                self.pause = self.every;
                self.next = after(self.every);
            }
        }
    }

    /// Asks for the lines after those that were read. The answer tells the instant before.
    fn ask(
        &self,
    ) -> impl Future<Output = (Instant, Result<TrailAnswer, StoreError>)> + Send + 'static {
        let store = self.store.clone();
        let seen = self.seen.as_ref().map_or(i64::MAX, |end| from(end.position));
        async move { (Instant::now(), TrailAnswer::read(&store, seen).await) }
    }

    /// Checks whether the server is the one that answered before.
    fn check(&mut self, end: &End) -> Result<(), StoreError> {
        let before = self.server.replace(end.server.clone());
        if before.is_some_and(|before| before != end.server) {
            // Some connections may still lead to the server before.
            self.store.pool.distrust_all();
        }
        match &self.store.freshness {
            Some(freshness) if !freshness.is_of(&end.server) => {
                Err(StoreError::new("the age of this server's data is not proven"))
            }
            _ => Ok(()),
        }
    }

    fn read(&mut self, asked: Instant, answer: TrailAnswer) -> Result<(), StoreError> {
        let TrailAnswer { rows, end } = answer;
        self.check(&end)?;
        let before = self.seen.as_ref().filter(|before| before.server == end.server);
        let changed = match before {
            Some(before) => changed_since(before.position, end.position, &rows)?,
            None => None,
        };
        self.seen = Some(end);
        // The next answer after an unknown one is a proof again.
        let Some(changed) = changed else {
            self.found.push_back(Invalidation::Everything);
            return Ok(());
        };
        for what in changed {
            if self.found.back() != Some(&what) {
                self.found.push_back(what);
            }
        }
        self.found.push_back(Invalidation::UpToDate(asked.into_std()));
        Ok(())
    }
}

impl TrailAnswer {
    /// Reads the lines behind a number.
    async fn read(store: &SqlStore, seen: i64) -> Result<Self, StoreError> {
        // Data that is too old for a lookup proves nothing.
        store.check_lag()?;
        let rows = store.read(Statement::new(&store.queries.trail_after).bind(seen)).await?;
        let Some(first) = rows.first() else { return Err(StoreError::new("the trail has no end")) };
        let server = row::text(&**first, "server")?;
        let position = if is_empty(first)? {
            store.position_of_empty_trail().await?
        } else {
            TrailPlace::latest(&**first)?.position()
        };
        Ok(Self { rows, end: End { position, server } })
    }
}

/// Returns true if the trail has no line.
fn is_empty(first: &Row) -> Result<bool, StoreError> {
    Ok(row::optional_number(&**first, "latest")?.is_none())
}

/// Returns what was changed up to the end of the trail. `None` if lines are missing, or there are too many.
fn changed_since(
    since: FeedPosition,
    end: FeedPosition,
    rows: &[Row],
) -> Result<Option<Vec<Invalidation>>, StoreError> {
    let (mut lines, mut found) = (TrailLines::new(since), Vec::new());
    if rows.first().map(is_empty).transpose()? == Some(true) {
        return Ok((since == end).then_some(found));
    }
    for row in rows {
        if row::optional_number(&**row, "sequence")?.is_none() {
            // No line has the number of the position or a later one.
            return Ok(None);
        }
        match lines.step(&**row)? {
            LineStep::Known => {}
            LineStep::Next(_) | LineStep::Further(_) => {
                changed(row, &mut found);
                found.extend(adds(row).then_some(Invalidation::Added));
            }
            LineStep::Beyond | LineStep::Diverged => return Ok(None),
        }
    }
    Ok((!lines.is_full()).then_some(found))
}

/// Reads the action of a line of the trail.
fn action(row: &Row) -> Option<Action> {
    row.text("action").ok().flatten()?.parse().ok()
}

/// Returns true if a line of the trail may have given a key a new secret.
fn adds(row: &Row) -> bool {
    // An action that has no name here is one of a newer release.
    matches!(action(row), Some(Action::KeyAdded | Action::KeyRotated | Action::Unknown) | None)
}

/// Adds which known records a line of the trail changed. A line of a policy changed none.
///
/// A secret with a pepper may have had a former digest. That is deleted after a day, and the notice of that may be lost
/// with the one of this change. So the account is named, too.
fn changed(row: &Row, found: &mut Vec<Invalidation>) {
    let action = action(row);
    // The counter of a quota is in no record.
    let changes_no_record =
        [Action::KeyAdded, Action::QuotaRefunded, Action::PolicySaved, Action::PolicyDeleted];
    if action.is_some_and(|action| changes_no_record.contains(&action)) {
        return;
    }
    if let Ok(digest) = row::digest(&**row) {
        found.push(Invalidation::Secret(digest));
        if action == Some(Action::KeyRehashed) || matches!(row.text("pepper"), Ok(None)) {
            return;
        }
    }
    let account = row.text("account").ok().flatten().map(AccountId::new);
    found.push(match account {
        Some(Ok(account)) => Invalidation::Account(account),
        _ => Invalidation::Everything,
    });
}
