//! A change: a transaction that writes the audit trail.

use sqlx::SqlStr;

use super::connect::SqlStore;
use super::dialect::Dialect;
use super::driver::{Columns, CopyParts, Row};
use super::session::Session;
use super::statement::Statement;
use super::{differences_column, marks, notify, query, row};
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{
    Action, Change, CommandOptions, Difference, Invalidation, ManageError, StoreError, check_author,
};

/// A change that is not committed yet. Others see nothing of it.
pub(super) struct Step<'a> {
    session: Session,
    pub(super) store: &'a SqlStore,
    now: Timestamp,
    options: CommandOptions<'a>,
    /// The reason of the change that is being made, instead of that of the options.
    own_reason: Option<String>,
    /// The notifications that other processes get on commit.
    announcements: Vec<Invalidation>,
    /// Whether the change writes events.
    has_events: bool,
    /// The mark of the newest line of the trail.
    newest: Option<i64>,
    /// Whether rows may be copied: this is an import into PostgreSQL.
    pub(super) copies: bool,
    /// Whether the store has policies. A change of keys alone asks.
    has_policies: bool,
}

impl SqlStore {
    /// Begins a change.
    pub(super) async fn begin<'a>(
        &'a self,
        options: CommandOptions<'a>,
    ) -> Result<Step<'a>, ManageError> {
        let mut step = self.begin_with(options, &self.queries.lock_trail).await?;
        let rows = step.fetch(Statement::new(&self.queries.begin_change)).await?;
        if let Some(found) = rows.first() {
            step.newest = row::optional_number(&**found, "latest_mark")?;
            step.has_policies = row::number(&**found, "has_policies")? != 0;
        }
        Ok(step)
    }

    /// Begins a change that writes no events. A gate that replaces peppers need not write them.
    pub(super) async fn begin_without_events<'a>(
        &'a self,
        options: CommandOptions<'a>,
    ) -> Result<Step<'a>, ManageError> {
        let mut step = self.begin_with(options, &self.queries.lock_changes).await?;
        step.newest = step.newest_mark().await?;
        Ok(step)
    }

    async fn begin_with<'a>(
        &'a self,
        options: CommandOptions<'a>,
        lock: &SqlStr,
    ) -> Result<Step<'a>, ManageError> {
        // A task of the store has an author that no command has.
        check_author(options.author())?;
        let session = self.transaction().await?;
        let mut step = Step::new(session, self, options);
        if self.dialect == Dialect::Postgres {
            step.execute(Statement::new(lock)).await?;
        }
        Ok(step)
    }

    /// Begins to write events without a change. A gate that records events need not write the trail.
    pub(super) async fn begin_events(&self) -> Result<Step<'_>, ManageError> {
        let session = self.transaction().await?;
        let mut step = Step::new(session, self, CommandOptions::by("events"));
        if self.dialect == Dialect::Postgres {
            step.execute(Statement::new(self.events.lock())).await?;
        }
        Ok(step)
    }
}

impl<'a> Step<'a> {
    fn new(session: Session, store: &'a SqlStore, options: CommandOptions<'a>) -> Self {
        let (now, announcements) = (store.clock.now(), Vec::new());
        Self {
            session,
            store,
            now,
            options,
            own_reason: None,
            announcements,
            newest: None,
            has_events: false,
            copies: false,
            has_policies: false,
        }
    }
}

impl Step<'_> {
    pub(super) const fn author(&self) -> &str {
        self.options.author()
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.own_reason.as_deref().or(self.options.reason())
    }

    /// Sets the reason of what is written from now on.
    pub(super) fn because(&mut self, reason: String) {
        self.own_reason = Some(reason);
    }

    /// Returns the most keys that the owner of an added or changed key may have.
    pub(super) const fn most_keys(&self) -> Option<u32> {
        self.options.most_keys()
    }

    pub(super) const fn has_policies(&self) -> bool {
        self.has_policies
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn at(&self) -> i64 {
        row::column(self.now)
    }

    /// Runs several statements of this program's own.
    pub(super) async fn script(&mut self, sql: &str) -> Result<(), ManageError> {
        Ok(self.session.script(sql.to_owned()).await?)
    }

    /// Copies rows into a table, and returns how many.
    pub(super) async fn copy(
        &mut self,
        into: String,
        rows: CopyParts<'_>,
    ) -> Result<u64, ManageError> {
        Ok(self.session.copy(into, rows).await?)
    }

    /// Runs a statement and returns how many rows it touched.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, ManageError> {
        Ok(self.session.execute(statement).await?)
    }

    pub(super) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, ManageError> {
        Ok(self.session.fetch(statement).await?)
    }

    /// Writes a line of the trail.
    pub(super) async fn note(
        &mut self,
        action: Action,
        key: Option<&str>,
        account: &str,
        differences: &[Difference],
    ) -> Result<(), ManageError> {
        let differences = differences_column::write(differences);
        self.note_all(action, &[(key, account, differences)]).await
    }

    /// Writes lines of the trail, one for each key and its account. Each line has the mark of the one before it.
    pub(super) async fn note_all(
        &mut self,
        action: Action,
        lines: &[(Option<&str>, &str, Option<String>)],
    ) -> Result<(), ManageError> {
        let mut previous = self.newest;
        let marks = marks::random(lines.len())?;
        let lines: Vec<_> = lines
            .iter()
            .zip(marks)
            .map(|(line, mark)| (line, mark, previous.replace(mark)))
            .collect();
        let (at, into) = (self.at(), &self.store.queries.into_changes);
        let (by, reason) = (self.options.author(), self.reason().map(str::to_owned));
        self.add_rows(into, 9, &lines, |row, ((key, account, differences), mark, previous)| {
            let row = row.bind(at).bind(by).bind(action.name());
            let row = row.bind(key.map(str::to_owned)).bind(*account).bind(*mark).bind(*previous);
            row.bind(reason.clone()).bind(differences.clone())
        })
        .await?;
        self.newest = previous;
        Ok(())
    }

    /// Reads the mark of the newest line. The lock of this change keeps others from writing another.
    async fn newest_mark(&mut self) -> Result<Option<i64>, ManageError> {
        let rows = self.fetch(Statement::new(&self.store.queries.newest_change)).await?;
        let mark = rows.first().map(|newest| row::number(&**newest, "latest_mark")).transpose()?;
        Ok(mark)
    }

    /// Notifies other processes of a change when it is committed. SQLite has no notifications.
    pub(super) fn announce(&mut self, what: Invalidation) {
        if self.store.dialect == Dialect::Postgres && self.announcements.last() != Some(&what) {
            self.announcements.push(what);
        }
    }

    /// Wakes the deliveries of all processes when this is committed.
    pub(super) fn announce_events(&mut self) {
        self.has_events = self.store.dialect == Dialect::Postgres;
    }

    pub(super) async fn commit(mut self) -> Result<(), ManageError> {
        let announcements = std::mem::take(&mut self.announcements);
        let mut has_events = self.has_events;
        for text in announcements.iter().filter_map(notify::text) {
            let both = std::mem::take(&mut has_events);
            let notify = if both { query::NOTIFY_BOTH } else { query::NOTIFY };
            let notify = Statement::from(notify).bind(notify::CHANNEL).bind(text);
            self.fetch(if both { notify.bind(notify::EVENTS) } else { notify }).await?;
        }
        if has_events {
            self.fetch(Statement::from(query::NOTIFY).bind(notify::EVENTS).bind("")).await?;
        }
        Ok(self.session.commit().await?)
    }

    /// Takes all changes back, and announces none.
    pub(super) async fn roll_back(self) -> Result<(), ManageError> {
        Ok(self.session.roll_back().await?)
    }
}

/// Reads a line of the trail. An action of a newer release is read as `Unknown`.
pub(super) fn change(row: &dyn Columns) -> Result<Change, StoreError> {
    let action = row::text(row, "action")?.parse().unwrap_or(Action::Unknown);
    Ok(Change {
        sequence: u64::try_from(row::number(row, "sequence")?).unwrap_or(0),
        at: row::timestamp(row::number(row, "at")?),
        by: row::text(row, "author")?,
        action,
        key: row::optional(row, "key_id")?,
        account: row::text(row, "account")?,
        reason: row::optional(row, "reason")?,
        differences: differences_column::read(row::optional(row, "differences")?)?,
    })
}
