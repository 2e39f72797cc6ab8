//! Many keys in few statements.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Row};

use super::connect::Dialect;
use super::query;
use super::row;
use super::step::{account_columns, bytes, settings};
use super::trail::{Step, failed};
use crate::key::{AccountId, KeyDigest, KeyId};
use crate::store::invalidation::Invalidation;
use crate::store::manage::{Action, ManageError, NewKey};

/// Keys of one statement: with 16 columns some 8,000 parameters, of 32,766 that SQLite takes.
pub(super) const CHUNK: usize = 500;

impl Step<'_> {
    /// Adds those of the keys whose id and secret are not there; returns how many that were.
    pub(super) async fn import(&mut self, keys: &[NewKey]) -> Result<u64, ManageError> {
        let keys = self.new_of(keys).await?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut seen: HashSet<&AccountId> = HashSet::new();
        let accounts = keys.iter().map(|key| &**key.record.account());
        let accounts: Vec<_> = accounts.filter(|account| seen.insert(account.id())).collect();
        let sql =
            insert(self.dialect, query::INTO_ACCOUNTS, 4, accounts.len(), query::UNLESS_THERE);
        let mut inserted = sqlx::query(AssertSqlSafe(sql));
        for account in accounts {
            inserted = account_columns(inserted, account);
        }
        self.execute(inserted).await?;

        let at = self.at();
        let sql =
            insert(self.dialect, query::INTO_KEYS, 16, keys.len(), query::UNLESS_THERE_ELSE_ID);
        let mut inserted = sqlx::query(AssertSqlSafe(sql));
        for NewKey { record, .. } in &keys {
            let account = record.account().id().as_str().to_owned();
            inserted = inserted.bind(record.id().as_str().to_owned()).bind(account);
            inserted = settings(inserted, record).bind(at);
        }
        let ids = self.fetch(inserted).await?;
        let ids: Result<HashSet<String>, _> = ids.iter().map(|row| row.try_get("id")).collect();
        let ids = ids.map_err(failed)?;
        let added: Vec<_> =
            keys.iter().filter(|key| ids.contains(key.record.id().as_str())).collect();
        if added.is_empty() {
            return Ok(0);
        }

        let sql = insert(self.dialect, query::INTO_SECRETS, 3, added.len(), "");
        let mut inserted = sqlx::query(AssertSqlSafe(sql));
        for NewKey { digest, record, .. } in &added {
            inserted = inserted.bind(bytes(digest)).bind(record.id().as_str().to_owned()).bind(at);
        }
        self.execute(inserted).await?;

        let sql = insert(self.dialect, query::INTO_CHANGES, 5, added.len(), "");
        let mut inserted = sqlx::query(AssertSqlSafe(sql));
        for NewKey { record, .. } in &added {
            inserted = inserted
                .bind(at)
                .bind(self.by().to_owned())
                .bind(Action::KeyAdded.name())
                .bind(Some(record.id().as_str().to_owned()))
                .bind(record.account().id().as_str().to_owned());
        }
        self.execute(inserted).await?;
        self.tell(Invalidation::Added);
        Ok(added.len() as u64)
    }

    /// Leaves out keys whose secret is there, and all but the first of those with the same secret or id.
    async fn new_of<'k>(&mut self, keys: &'k [NewKey]) -> Result<Vec<&'k NewKey>, ManageError> {
        let places = places(self.dialect, 1, keys.len());
        let sql = format!("SELECT digest FROM secrets WHERE digest IN ({places})");
        let mut asked = sqlx::query(AssertSqlSafe(sql));
        for key in keys {
            asked = asked.bind(bytes(&key.digest));
        }
        let rows = self.fetch(asked).await?;
        let there: Result<HashSet<KeyDigest>, _> = rows.iter().map(row::digest).collect();
        let mut digests = there?;
        let mut ids: HashSet<&KeyId> = HashSet::new();
        let mut new = Vec::with_capacity(keys.len());
        for key in keys {
            if digests.insert(key.digest) && ids.insert(key.record.id()) {
                new.push(key);
            }
        }
        Ok(new)
    }
}

/// Lists parameters, from the first or another on. SQLite looks for each numbered one among all of
/// them, which takes 8,000 of them seconds; it counts question marks.
fn places(dialect: Dialect, first: usize, count: usize) -> String {
    let place = |number| match dialect {
        Dialect::Sqlite => "?".to_owned(),
        Dialect::Postgres => format!("${number}"),
    };
    (first..first + count).map(place).collect::<Vec<_>>().join(", ")
}

/// Writes a statement that inserts so many rows of so many columns.
pub(super) fn insert(
    dialect: Dialect,
    into: &str,
    columns: usize,
    rows: usize,
    behind: &str,
) -> String {
    let row = |row: usize| format!("({})", places(dialect, row * columns + 1, columns));
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{into} VALUES {}{behind}", rows.join(", "))
}
