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
use super::row;
use super::statement::Statement;
use tower_api_key::key::AccountId;
use tower_api_key::store::{Action, Invalidation, StoreError};

/// The default time between two proofs.
const EVERY: Duration = Duration::from_millis(500);

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The most lines that are read at once. After more, everything counts as changed.
const MOST: usize = 1_000;

/// An answer of the trail that has not come yet, and the instant at which it was asked.
type Asking = Pin<Box<dyn Future<Output = (Instant, Result<Vec<Row>, StoreError>)> + Send>>;

/// The end of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    sequence: i64,
    /// The mark of that line; none if the trail is empty.
    mark: Option<i64>,
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
        self.seen = answer.and_then(|rows| self.end(&rows)).ok();
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
            if answer.and_then(|rows| self.read(asked, &rows)).is_err() {
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
    ) -> impl Future<Output = (Instant, Result<Vec<Row>, StoreError>)> + Send + 'static {
        let store = self.store.clone();
        let seen = self.seen.as_ref().map_or(i64::MAX, |end| end.sequence);
        async move {
            let asked = Instant::now();
            let most = i64::try_from(MOST).unwrap_or(i64::MAX);
            let statement = Statement::new(&store.queries.changes_after).bind(seen).bind(most);
            // Data that is too old for a lookup proves nothing.
            if let Err(error) = store.check_lag() {
                return (asked, Err(error));
            }
            (asked, store.read(statement).await)
        }
    }

    /// Reads where the trail ends, and whether the server is the one that answered before.
    fn end(&mut self, rows: &[Row]) -> Result<End, StoreError> {
        let end = end(rows)?;
        let before = self.server.replace(end.server.clone());
        if before.is_some_and(|before| before != end.server) {
            // Some connections may still lead to the server before.
            self.store.pool.distrust_all();
        }
        match &self.store.freshness {
            Some(freshness) if !freshness.is_of(&end.server) => {
                Err(StoreError::new("the age of this server's data is not proven"))
            }
            _ => Ok(end),
        }
    }

    fn read(&mut self, asked: Instant, rows: &[Row]) -> Result<(), StoreError> {
        let end = self.end(rows)?;
        let before = self.seen.replace(end.clone());
        let Some(before) = before.filter(|before| {
            before.server == end.server
                && before.sequence <= end.sequence
                && follows(rows, before)
                && rows.len() < MOST
        }) else {
            // The next answer is a proof again.
            self.found.push_back(Invalidation::Everything);
            return Ok(());
        };
        if before.sequence < end.sequence {
            for row in rows {
                let added = adds(row).then_some(Invalidation::Added);
                for what in changed(row).into_iter().chain(added) {
                    if self.found.back() != Some(&what) {
                        self.found.push_back(what);
                    }
                }
            }
        }
        self.found.push_back(Invalidation::UpToDate(asked.into_std()));
        Ok(())
    }
}

/// Reads where the trail ends.
fn end(rows: &[Row]) -> Result<End, StoreError> {
    let Some(first) = rows.first() else { return Err(StoreError::new("the trail has no end")) };
    let (sequence, server) = (row::number(&**first, "newest")?, row::text(&**first, "server")?);
    let mark = row::optional_number(&**first, "newest_mark")?;
    Ok(End { sequence, mark, server })
}

/// Returns true if no line is missing after the one that was seen last. Without that one, later ones may be gone.
fn follows(rows: &[Row], before: &End) -> bool {
    let mark = |column| rows.first().and_then(|row| row.number(column).ok().flatten());
    if before.mark.is_some() {
        return before.mark == mark("seen_mark");
    }
    // The trail was empty: its first line has a mark, and none before it.
    mark("newest_mark").is_none() || mark("mark").is_some() && mark("previous").is_none()
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

/// Reads which known records a line of the trail changed; `None` for none.
fn changed(row: &Row) -> Option<Invalidation> {
    if action(row) == Some(Action::KeyAdded) {
        return None;
    }
    if let Ok(digest) = row::digest(&**row) {
        return Some(Invalidation::Secret(digest));
    }
    let account = row.text("account").ok().flatten().map(AccountId::new);
    Some(match account {
        Some(Ok(account)) => Invalidation::Account(account),
        _ => Invalidation::Everything,
    })
}
