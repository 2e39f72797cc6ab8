//! Adds many keys with few statements.

use std::collections::HashSet;

use futures_util::future::join;
use sqlx::SqlStr;

use super::copy_rows::CopyRows;
use super::dialect::Dialect;
use super::statement::Statement;
use super::step::{account_columns, bytes, settings};
use super::trail::Step;
use super::{differences_column, import_order, query, row};
use tower_api_key::key::{Account, AccountId, KeyDigest};
use tower_api_key::store::{Action, Difference, Invalidation, ManageError, NewKey};

/// The lines of the trail that are made at a time.
const LINES: usize = 50_000;

const HAS_LAST_USES: &str = "SELECT 1 AS found FROM {usage_keys} LIMIT 1";

const DELETE_LAST_USES: &str = "DELETE FROM {usage_keys} WHERE key_id";

impl Dialect {
    /// Returns the keys of one statement of an import.
    pub(super) const fn import_chunk(self) -> usize {
        match self {
            // With 18 columns they need 18,000 parameters; SQLite takes at most 32,766.
            Self::Sqlite => 1_000,
            // Their rows are not parameters. A few megabytes, so that each statement ends long before its timeout.
            Self::Postgres => 5_000,
        }
    }

    /// Returns a statement that inserts rows with this number of columns. `bind` binds the values of one row.
    fn insertion<T>(
        self,
        into: &SqlStr,
        columns: usize,
        rows: &[T],
        behind: &str,
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> Statement {
        let row = |row: usize| format!("({})", self.placeholders(row * columns + 1, columns));
        let values: Vec<String> = (0..rows.len()).map(row).collect();
        let sql = format!("{} VALUES {}{behind}", into.as_str(), values.join(", "));
        let mut inserting = Statement::made(sql);
        inserting.values.reserve_exact(rows.len() * columns);
        rows.iter().fold(inserting, bind)
    }
}

impl Step<'_> {
    /// Adds keys whose id and secret are new, and returns their number. The trail shows the settings of the keys only
    /// if `shown` is true: for a million keys they are half a gigabyte.
    ///
    /// Rows are added in the order of their tables, so that neighbours of an index are added one after the other. The
    /// trail has the order of the keys.
    pub(super) async fn add_all(
        &mut self,
        keys: &[&NewKey],
        shown: bool,
    ) -> Result<u64, ManageError> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.add_accounts(keys).await?;
        let (at, queries) = (self.at(), &self.store.queries);
        let sorted = import_order::by_id(keys.iter().copied());
        self.add_rows(&queries.into_keys, 18, &sorted, |row, NewKey { record, .. }| {
            let account = record.account().id().as_str().to_owned();
            let row = row.bind(record.id().as_str().to_owned()).bind(account);
            settings(row, record).bind(at)
        })
        .await?;
        self.add_tags(sorted.iter().map(|key| &key.record)).await?;
        self.forget_last_uses(&sorted).await?;
        let sorted = import_order::by_digest(sorted);
        let bind = |row: Statement, NewKey { digest, record, pepper, tail, .. }: &&NewKey| {
            let pepper = pepper.as_ref().map(ToString::to_string);
            let row = row.bind(bytes(digest)).bind(record.id().as_str().to_owned()).bind(at);
            row.bind(pepper).bind(tail.map(|tail| tail.to_string()))
        };
        self.add_rows(&queries.into_secrets, 5, &sorted, bind).await?;
        drop(sorted);
        for keys in keys.chunks(LINES) {
            let lines: Vec<_> = keys.iter().map(|key| added_line(key, shown)).collect();
            self.note_all(Action::KeyAdded, &lines).await?;
        }
        self.announce(Invalidation::Added);
        Ok(keys.len() as u64)
    }

    /// Returns the keys whose id and secret are new. Of several keys with the same one, only the first is
    /// returned. No other transaction adds keys until this one ends, so the keys stay new.
    pub(super) async fn new_of<'k>(
        &mut self,
        keys: &'k [NewKey],
        is_empty: bool,
    ) -> Result<Vec<&'k NewKey>, ManageError> {
        // Checked first, because tables of hashes of a million keys take longer.
        let mut seen = import_order::has_repeats(keys).then(SeenKeys::default);
        let mut new = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(self.store.dialect.import_chunk()) {
            let there = if is_empty { ThereKeys::default() } else { self.there_of(chunk).await? };
            for key in chunk {
                let (id, digest) = (key.record.id().as_str(), &key.digest);
                let is_there = there.digests.contains(digest) || there.ids.contains(id);
                if !is_there && seen.as_mut().is_none_or(|seen| seen.is_new(key)) {
                    new.push(key);
                }
            }
        }
        Ok(new)
    }

    /// Reads which digests and ids of these keys the store has.
    async fn there_of(&mut self, keys: &[NewKey]) -> Result<ThereKeys, ManageError> {
        let (dialect, queries) = (self.store.dialect, &self.store.queries);
        let asked = keys.iter().map(|key| bytes(&key.digest).into());
        let rows = self.fetch(dialect.among(queries.digests_among.as_str(), asked)).await?;
        let digests = rows.iter().map(|row| row::digest(&**row)).collect::<Result<_, _>>()?;
        let asked = keys.iter().map(|key| key.record.id().as_str().into());
        let rows = self.fetch(dialect.among(queries.ids_among.as_str(), asked)).await?;
        let ids = rows.iter().map(|row| row::text(&**row, "id")).collect::<Result<_, _>>()?;
        Ok(ThereKeys { digests, ids })
    }

    /// Deletes the last uses of earlier keys that had the ids of new ones. A batch may be written after its key was
    /// deleted.
    async fn forget_last_uses(&mut self, keys: &[&NewKey]) -> Result<(), ManageError> {
        let chunk = self.store.dialect.import_chunk();
        // One statement costs no more than this question.
        if keys.len() > chunk {
            let has_some = self.store.tables.fill(HAS_LAST_USES);
            if self.fetch(Statement::made(has_some)).await?.is_empty() {
                return Ok(());
            }
        }
        let sql = self.store.tables.fill(DELETE_LAST_USES);
        for keys in keys.chunks(chunk) {
            let ids = keys.iter().map(|key| key.record.id().as_str().into());
            self.execute(self.store.dialect.among(&sql, ids)).await?;
        }
        Ok(())
    }

    /// Adds the accounts of new keys where they are missing. No other transaction adds accounts until this one ends.
    async fn add_accounts(&mut self, keys: &[&NewKey]) -> Result<(), ManageError> {
        let mut seen: HashSet<&AccountId> = HashSet::new();
        let accounts = keys.iter().map(|key| &**key.record.account());
        let mut accounts: Vec<_> = accounts.filter(|account| seen.insert(account.id())).collect();
        accounts.sort_unstable_by(|one, other| one.id().cmp(other.id()));
        let (into, columns) = (&self.store.queries.into_accounts, 5);
        for accounts in accounts.chunks(self.store.dialect.import_chunk()) {
            if !self.copies {
                self.insert(into, columns, accounts, query::UNLESS_THERE, |row, account| {
                    account_columns(row, account)
                })
                .await?;
                continue;
            }
            let ids = accounts.iter().map(|account| account.id().as_str().into());
            let asked = self.store.dialect.among(self.store.queries.accounts_among.as_str(), ids);
            let rows = self.fetch(asked).await?;
            let there: HashSet<String> =
                rows.iter().map(|row| row::text(&**row, "id")).collect::<Result<_, _>>()?;
            let is_new = |account: &&&Account| !there.contains(account.id().as_str());
            let new: Vec<_> = accounts.iter().filter(is_new).collect();
            self.add_rows(into, columns, &new, |row, account| account_columns(row, account))
                .await?;
        }
        Ok(())
    }

    /// Adds rows with this number of columns, of which none may be there, and returns their number. `bind` binds the
    /// values of one row.
    pub(super) async fn add_rows<T: Sync>(
        &mut self,
        into: &SqlStr,
        columns: usize,
        rows: &[T],
        bind: impl Fn(Statement, &T) -> Statement + Send + Sync,
    ) -> Result<u64, ManageError> {
        let mut chunks = rows.chunks(self.store.dialect.import_chunk());
        let mut added = 0;
        if self.copies {
            let table = into.as_str().trim_start_matches("INSERT INTO");
            let into = format!("COPY{table} FROM STDIN (FORMAT binary)");
            for rows in chunks {
                added += self.copy(into.clone(), Box::new(CopyRows::new(rows, &bind))).await?;
            }
            return Ok(added);
        }
        let dialect = self.store.dialect;
        let mut make = || Some(dialect.insertion(into, columns, chunks.next()?, "", &bind));
        let mut next = make();
        while let Some(current) = next {
            // SQLite has a thread of its own, which works while the next statement is made.
            let (done, made) = join(self.execute(current), async { make() }).await;
            added += done?;
            next = made;
        }
        Ok(added)
    }

    /// Inserts rows with this number of columns, and returns how many were inserted. `bind` binds the values
    /// of one row.
    pub(super) async fn insert<T>(
        &mut self,
        into: &SqlStr,
        columns: usize,
        rows: &[T],
        behind: &str,
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> Result<u64, ManageError> {
        self.execute(self.store.dialect.insertion(into, columns, rows, behind, bind)).await
    }
}

/// What a store has of some keys.
#[derive(Default)]
struct ThereKeys {
    digests: HashSet<KeyDigest>,
    ids: HashSet<String>,
}

/// The keys of an import that were not left out so far.
#[derive(Default)]
struct SeenKeys<'k> {
    /// All bytes are hashed, because the first ones of a digest may be equal in a file that someone made.
    digests: HashSet<&'k [u8; 32]>,
    ids: HashSet<&'k str>,
}

impl<'k> SeenKeys<'k> {
    /// Returns true if no key before had its id or its secret.
    fn is_new(&mut self, key: &'k NewKey) -> bool {
        let (id, digest) = (key.record.id().as_str(), key.digest.as_bytes());
        let is_new = !self.digests.contains(digest) && self.ids.insert(id);
        is_new && self.digests.insert(digest)
    }
}

/// Returns the line of the trail for a new key.
fn added_line(NewKey { record, .. }: &NewKey, shown: bool) -> (Option<&str>, &str, Option<String>) {
    let settings = || differences_column::write(&Difference::of_keys(None, Some(record)));
    let settings = shown.then(settings).flatten();
    (Some(record.id().as_str()), record.account().id().as_str(), settings)
}
