//! Adds many keys with few statements.

use std::collections::HashSet;

use sqlx::SqlStr;

use super::policies::ImportPolicies;
use super::statement::Statement;
use super::step::{account_columns, bytes, settings};
use super::trail::Step;
use super::{differences_column, query, row};
use tower_api_key::key::{AccountId, KeyDigest};
use tower_api_key::store::{Action, Difference, Invalidation, ManageError, NewKey};

/// The keys of one statement. With 18 columns they need 9,000 parameters; SQLite takes at most 32,766.
pub(super) const CHUNK: usize = 500;

const DELETE_LAST_USES: &str = "DELETE FROM {usage_keys} WHERE key_id IN";

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

    /// Adds keys whose id and secret are new, and returns their number. The trail shows the settings of the keys only if
    /// `shown` is true: for a million keys they are half a gigabyte.
    pub(super) async fn add_all(
        &mut self,
        keys: &[&NewKey],
        shown: bool,
    ) -> Result<u64, ManageError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut seen: HashSet<&AccountId> = HashSet::new();
        let accounts = keys.iter().map(|key| &**key.record.account());
        let accounts: Vec<_> = accounts.filter(|account| seen.insert(account.id())).collect();
        self.insert(
            &self.store.queries.into_accounts,
            5,
            &accounts,
            query::UNLESS_THERE,
            |row, account| account_columns(row, account),
        )
        .await?;

        let at = self.at();
        self.insert(&self.store.queries.into_keys, 18, keys, "", |row, NewKey { record, .. }| {
            let account = record.account().id().as_str().to_owned();
            let row = row.bind(record.id().as_str().to_owned()).bind(account);
            settings(row, record).bind(at)
        })
        .await?;
        self.insert(
            &self.store.queries.into_secrets,
            4,
            keys,
            "",
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
        let placeholders = self.store.dialect.placeholders(1, keys.len());
        let sql = format!("{} ({placeholders})", self.store.queries.digests_among.as_str());
        let asked =
            keys.iter().fold(Statement::made(sql), |asked, key| asked.bind(bytes(&key.digest)));
        let rows = self.fetch(asked).await?;
        let mut digests: HashSet<KeyDigest> =
            rows.iter().map(|row| row::digest(&**row)).collect::<Result<_, _>>()?;

        let sql = format!("{} ({placeholders})", self.store.queries.ids_among.as_str());
        let id = |key: &NewKey| key.record.id().as_str().to_owned();
        let asked = keys.iter().fold(Statement::made(sql), |asked, key| asked.bind(id(key)));
        let rows = self.fetch(asked).await?;
        let mut ids: HashSet<String> =
            rows.iter().map(|row| row::text(&**row, "id")).collect::<Result<_, _>>()?;

        let mut is_new = |key: &&NewKey| {
            let new = !digests.contains(&key.digest) && !ids.contains(key.record.id().as_str());
            new && digests.insert(key.digest) && ids.insert(id(key))
        };
        Ok(keys.iter().filter(|key| is_new(key)).collect())
    }

    /// Deletes the last uses of earlier keys that had the ids of new ones. A batch may be written after its key was deleted.
    async fn forget_last_uses(&mut self, keys: &[&NewKey]) -> Result<(), ManageError> {
        let placeholders = self.store.dialect.placeholders(1, keys.len());
        let sql = format!("{DELETE_LAST_USES} ({placeholders})");
        let deleted = Statement::made(self.store.tables.fill(&sql));
        let deleted = keys.iter().fold(deleted, |all, key| all.bind(key.record.id().as_str()));
        self.execute(deleted).await?;
        Ok(())
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
