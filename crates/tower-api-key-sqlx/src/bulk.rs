//! Adds many keys with few statements.

use std::collections::HashSet;

use sqlx::SqlStr;

use super::copy_rows::CopyRows;
use super::dialect::Dialect;
use super::policies::ImportPolicies;
use super::statement::Statement;
use super::step::{account_columns, bytes, settings};
use super::trail::Step;
use super::{differences_column, query, row};
use tower_api_key::key::{AccountId, KeyDigest};
use tower_api_key::store::{Action, Difference, Invalidation, ManageError, NewKey};

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
}

impl Step<'_> {
    /// Adds the keys of an import whose id and secret are new, and returns their number.
    pub(super) async fn import(
        &mut self,
        keys: &[NewKey],
        policies: Option<&mut ImportPolicies>,
    ) -> Result<u64, ManageError> {
        let keys = self.new_of(keys).await?;
        if let Some(policies) = policies {
            self.check_imported(&keys, policies).await?;
        }
        self.add_all(&keys, false).await
    }

    /// Adds keys whose id and secret are new, and returns their number. The trail shows the settings of the keys only
    /// if `shown` is true: for a million keys they are half a gigabyte.
    pub(super) async fn add_all(
        &mut self,
        keys: &[&NewKey],
        shown: bool,
    ) -> Result<u64, ManageError> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.add_accounts(keys).await?;
        let at = self.at();
        self.add_rows(&self.store.queries.into_keys, 18, keys, |row, NewKey { record, .. }| {
            let account = record.account().id().as_str().to_owned();
            let row = row.bind(record.id().as_str().to_owned()).bind(account);
            settings(row, record).bind(at)
        })
        .await?;
        self.add_rows(
            &self.store.queries.into_secrets,
            4,
            keys,
            |row, NewKey { digest, record, pepper, .. }| {
                let pepper = pepper.as_ref().map(ToString::to_string);
                row.bind(bytes(digest)).bind(record.id().as_str().to_owned()).bind(at).bind(pepper)
            },
        )
        .await?;
        self.add_tags(keys.iter().map(|key| &key.record)).await?;
        self.forget_last_uses(keys).await?;
        let lines: Vec<_> = keys
            .iter()
            .map(|NewKey { record, .. }| {
                let settings =
                    || differences_column::write(&Difference::of_keys(None, Some(record)));
                let settings = shown.then(settings).flatten();
                (Some(record.id().as_str()), record.account().id().as_str(), settings)
            })
            .collect();
        self.note_all(Action::KeyAdded, &lines).await?;
        self.announce(Invalidation::Added);
        Ok(keys.len() as u64)
    }

    /// Returns the keys whose id and secret are new. Of several keys with the same one, only the first is
    /// returned. No other transaction adds keys until this one ends, so the keys stay new.
    pub(super) async fn new_of<'k>(
        &mut self,
        keys: &'k [NewKey],
    ) -> Result<Vec<&'k NewKey>, ManageError> {
        let id = |key: &NewKey| key.record.id().as_str().to_owned();
        let (dialect, queries) = (self.store.dialect, &self.store.queries);
        let asked = keys.iter().map(|key| bytes(&key.digest).into());
        let rows = self.fetch(dialect.among(queries.digests_among.as_str(), asked)).await?;
        let mut digests: HashSet<KeyDigest> =
            rows.iter().map(|row| row::digest(&**row)).collect::<Result<_, _>>()?;
        let asked = keys.iter().map(|key| id(key).into());
        let rows = self.fetch(dialect.among(queries.ids_among.as_str(), asked)).await?;
        let mut ids: HashSet<String> =
            rows.iter().map(|row| row::text(&**row, "id")).collect::<Result<_, _>>()?;

        let mut is_new = |key: &&NewKey| {
            let new = !digests.contains(&key.digest) && !ids.contains(key.record.id().as_str());
            new && digests.insert(key.digest) && ids.insert(id(key))
        };
        Ok(keys.iter().filter(|key| is_new(key)).collect())
    }

    /// Deletes the last uses of earlier keys that had the ids of new ones. A batch may be written after its key was
    /// deleted.
    async fn forget_last_uses(&mut self, keys: &[&NewKey]) -> Result<(), ManageError> {
        let ids = keys.iter().map(|key| key.record.id().as_str().into());
        let sql = self.store.tables.fill(DELETE_LAST_USES);
        self.execute(self.store.dialect.among(&sql, ids)).await?;
        Ok(())
    }

    /// Adds the accounts of new keys where they are missing. No other transaction adds accounts until this one ends.
    async fn add_accounts(&mut self, keys: &[&NewKey]) -> Result<(), ManageError> {
        let mut seen: HashSet<&AccountId> = HashSet::new();
        let accounts = keys.iter().map(|key| &**key.record.account());
        let mut accounts: Vec<_> = accounts.filter(|account| seen.insert(account.id())).collect();
        let (into, columns) = (&self.store.queries.into_accounts, 5);
        if !self.copies {
            self.insert(into, columns, &accounts, query::UNLESS_THERE, |row, account| {
                account_columns(row, account)
            })
            .await?;
            return Ok(());
        }
        let ids = accounts.iter().map(|account| account.id().as_str().into());
        let asked = self.store.dialect.among(self.store.queries.accounts_among.as_str(), ids);
        let rows = self.fetch(asked).await?;
        let there: HashSet<String> =
            rows.iter().map(|row| row::text(&**row, "id")).collect::<Result<_, _>>()?;
        accounts.retain(|account| !there.contains(account.id().as_str()));
        self.add_rows(into, columns, &accounts, |row, account| account_columns(row, account))
            .await?;
        Ok(())
    }

    /// Adds rows with this number of columns, of which none may be there, and returns their number. `bind` binds the
    /// values of one row.
    pub(super) async fn add_rows<T>(
        &mut self,
        into: &SqlStr,
        columns: usize,
        rows: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> Result<u64, ManageError> {
        if !self.copies {
            return self.insert(into, columns, rows, "", bind).await;
        }
        if rows.is_empty() {
            return Ok(0);
        }
        let (mut copied, mut row) = (CopyRows::with_capacity(rows.len()), Statement::from(""));
        for values in rows {
            row = bind(row, values);
            copied.add(&mut row);
        }
        let table = into.as_str().trim_start_matches("INSERT INTO");
        self.copy(format!("COPY{table} FROM STDIN (FORMAT binary)"), copied.finish()).await
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
        let dialect = self.store.dialect;
        let row = |row: usize| format!("({})", dialect.placeholders(row * columns + 1, columns));
        let values: Vec<String> = (0..rows.len()).map(row).collect();
        let sql = format!("{} VALUES {}{behind}", into.as_str(), values.join(", "));
        self.execute(rows.iter().fold(Statement::made(sql), bind)).await
    }
}
