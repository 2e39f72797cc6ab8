//! Many keys in few statements.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Row};

use super::connect::Dialect;
use super::failure::failed;
use super::step::{account_columns, bytes, settings};
use super::trail::{Query, Step};
use super::{query, row};
use crate::key::{AccountId, KeyDigest};
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
        self.insert(query::INTO_ACCOUNTS, 5, &accounts, query::UNLESS_THERE, |row, account| {
            account_columns(row, account)
        })
        .await?;

        let (at, by) = (self.at(), self.by().to_owned());
        self.insert(query::INTO_KEYS, 16, &keys, "", |row, NewKey { record, .. }| {
            let account = record.account().id().as_str().to_owned();
            let row = row.bind(record.id().as_str().to_owned()).bind(account);
            settings(row, record).bind(at)
        })
        .await?;
        self.insert(query::INTO_SECRETS, 3, &keys, "", |row, NewKey { digest, record, .. }| {
            row.bind(bytes(digest)).bind(record.id().as_str().to_owned()).bind(at)
        })
        .await?;
        self.insert(query::INTO_CHANGES, 5, &keys, "", |row, NewKey { record, .. }| {
            row.bind(at)
                .bind(by.clone())
                .bind(Action::KeyAdded.name())
                .bind(Some(record.id().as_str().to_owned()))
                .bind(record.account().id().as_str().to_owned())
        })
        .await?;
        self.tell(Invalidation::Added);
        Ok(keys.len() as u64)
    }

    /// Leaves out keys whose id or secret is there, and of several with the same all but the first.
    /// Nobody else adds keys until this transaction ends, so what is new stays new.
    async fn new_of<'k>(&mut self, keys: &'k [NewKey]) -> Result<Vec<&'k NewKey>, ManageError> {
        let places = places(self.dialect, 1, keys.len());
        let sql = format!("SELECT digest FROM secrets WHERE digest IN ({places})");
        let asked = sqlx::query(AssertSqlSafe(sql));
        let asked = keys.iter().fold(asked, |asked, key| asked.bind(bytes(&key.digest)));
        let rows = self.fetch(asked).await?;
        let mut digests: HashSet<KeyDigest> =
            rows.iter().map(row::digest).collect::<Result<_, _>>()?;

        let sql = format!("SELECT id FROM keys WHERE id IN ({places})");
        let asked = sqlx::query(AssertSqlSafe(sql));
        let id = |key: &NewKey| key.record.id().as_str().to_owned();
        let asked = keys.iter().fold(asked, |asked, key| asked.bind(id(key)));
        let rows = self.fetch(asked).await?;
        let ids = rows.iter().map(|row| row.try_get("id"));
        let mut ids: HashSet<String> = ids.collect::<Result<_, _>>().map_err(failed)?;

        let mut is_new = |key: &&NewKey| {
            let new = !digests.contains(&key.digest) && !ids.contains(key.record.id().as_str());
            new && digests.insert(key.digest) && ids.insert(id(key))
        };
        Ok(keys.iter().filter(|key| is_new(key)).collect())
    }

    /// Inserts rows of so many columns; `bind` binds those of one. Returns how many came to be.
    pub(super) async fn insert<'q, T>(
        &mut self,
        into: &str,
        columns: usize,
        rows: &[T],
        behind: &str,
        bind: impl Fn(Query<'q>, &T) -> Query<'q>,
    ) -> Result<u64, ManageError> {
        let row = |row: usize| format!("({})", places(self.dialect, row * columns + 1, columns));
        let values: Vec<String> = (0..rows.len()).map(row).collect();
        let sql = format!("{into} VALUES {}{behind}", values.join(", "));
        self.execute(rows.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind)).await
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
