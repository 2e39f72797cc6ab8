//! An import: many keys in one transaction.

use super::SqlStore;
use super::dialect::Dialect;
use super::row;
use super::statement::Statement;
use super::trail::Step;
use tower_api_key::store::{CommandOptions, ManageError, NewKey};

/// Lets the server look up keys by indexes, whatever it knows of the tables' sizes. A table of a first import is small
/// when its statements are planned, and a session keeps plans. Each chunk would then read all keys that came before it,
/// and compare each with each key of the chunk.
const PLAN_FOR_LARGE_TABLES: &str = "DISCARD PLANS; SET LOCAL enable_seqscan = off";

/// Counts the tables that PostgreSQL copies no rows into, because it must check each row against policies of its own.
const ROW_SECURITY: &str = "SELECT COUNT(*) AS guarded FROM (VALUES ($1), ($2), ($3), ($4), ($5)) AS copied (name) \
     WHERE row_security_active(copied.name)";

/// The memory for pages of SQLite during an import, in KiB. Keys and digests come in no order, so each transaction
/// changes pages all over the indexes. With SQLite's 2 MiB it writes the same pages to the file several times.
const IMPORT_CACHE: i64 = 65_536;

/// The same for an import of very many keys, which take more memory themselves. Each key has this share of it.
const LARGEST_IMPORT_CACHE: i64 = 4 * IMPORT_CACHE;
const KEYS_OF_A_KIBIBYTE: usize = 4;

/// The keys that are checked against policies at a time.
const POLICY_CHUNK: usize = 10_000;

/// The size of SQLite's pages, in KiB, unless a database was made otherwise.
const PAGE: i64 = 4;

impl SqlStore {
    /// Adds the keys that are new, all in one transaction, and returns their number.
    pub(super) async fn import_keys(&self, keys: &[NewKey], by: &str) -> Result<u64, ManageError> {
        let options = CommandOptions::by(by);
        options.check()?;
        let mut step = self.begin(options).await?;
        let cache = step.begin_import(keys.len()).await?;
        let added = step.import_all(keys).await;
        // Also after a failure: the connection goes back to its pool.
        let restored = match cache {
            Some(cache) => step.set_cache(cache).await,
            None => Ok(()),
        };
        let added = added?;
        restored?;
        step.commit().await?;
        Ok(added)
    }
}

impl Step<'_> {
    async fn import_all(&mut self, keys: &[NewKey]) -> Result<u64, ManageError> {
        let deferred = self.defer_indexes(keys.len()).await?;
        let new = self.new_of(keys, deferred.is_some()).await?;
        if let Some(mut policies) = self.import_policies().await? {
            for chunk in new.chunks(POLICY_CHUNK) {
                self.check_imported(chunk, &mut policies).await?;
            }
        }
        let added = self.add_all(&new, false).await?;
        if let Some(deferred) = deferred {
            self.make_indexes(deferred).await?;
        }
        Ok(added)
    }

    /// Prepares a session for many rows. Returns what SQLite's cache must be set to at the end.
    async fn begin_import(&mut self, keys: usize) -> Result<Option<i64>, ManageError> {
        match self.store.dialect {
            Dialect::Sqlite => {
                let wanted = i64::try_from(keys / KEYS_OF_A_KIBIBYTE).unwrap_or(i64::MAX);
                self.enlarge_cache(wanted.clamp(IMPORT_CACHE, LARGEST_IMPORT_CACHE)).await
            }
            Dialect::Postgres => {
                self.script(PLAN_FOR_LARGE_TABLES).await?;
                self.copies = self.may_copy().await?;
                Ok(None)
            }
        }
    }

    /// Returns true if PostgreSQL copies rows into all tables that an import writes.
    async fn may_copy(&mut self) -> Result<bool, ManageError> {
        let tables = ["{accounts}", "{keys}", "{secrets}", "{tags}", "{changes}"];
        let named = |asked: Statement, table| asked.bind(self.store.tables.fill(table));
        let asked = tables.into_iter().fold(Statement::from(ROW_SECURITY), named);
        let rows = self.fetch(asked).await?;
        let guarded = rows.first().map(|found| row::number(&**found, "guarded")).transpose()?;
        Ok(guarded == Some(0))
    }

    /// Gives this connection more memory, unless it has as much. Returns the setting that it had.
    async fn enlarge_cache(&mut self, wanted: i64) -> Result<Option<i64>, ManageError> {
        let rows = self.fetch(Statement::from("PRAGMA cache_size")).await?;
        let Some(found) = rows.first() else { return Ok(None) };
        let before = row::number(&**found, "cache_size")?;
        // A negative size is one in KiB, another a number of pages.
        let size = if before < 0 { before.saturating_neg() } else { before.saturating_mul(PAGE) };
        if size >= wanted {
            return Ok(None);
        }
        self.set_cache(-wanted).await?;
        Ok(Some(before))
    }

    async fn set_cache(&mut self, size: i64) -> Result<(), ManageError> {
        self.script(&format!("PRAGMA cache_size = {size}")).await
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use tower_api_key::key::{Account, KeyHasher, KeyRecord};
    use tower_api_key::policy::{KeyPolicy, PolicySubject};
    use tower_api_key::store::{Command, KeyManager};

    async fn cache_size(store: &SqlStore) -> i64 {
        let rows = store.read(Statement::from("PRAGMA cache_size")).await.unwrap();
        row::number(&*rows[0], "cache_size").unwrap()
    }

    #[tokio::test]
    async fn a_connection_has_its_own_cache_again_after_an_import() {
        // A database in memory has one connection.
        let store = SqlStore::connect("sqlite::memory:").await.unwrap();
        let before = cache_size(&store).await;
        assert!(before.abs() < IMPORT_CACHE, "{before}");
        let key = |id: &str| {
            let account = Account::builder("acme").build().unwrap();
            let digest = KeyHasher::sha256().digest(id.as_bytes());
            NewKey::new(digest, KeyRecord::builder(id, account).build().unwrap())
        };
        assert_eq!(store.import(vec![key("a"), key("b")], "ada").await.unwrap(), 2);
        assert_eq!(cache_size(&store).await, before);
        let policy = KeyPolicy::builder(PolicySubject::All).require_expiry().build().unwrap();
        let by_ada = CommandOptions::by("ada");
        store.apply(Command::SavePolicy(policy), by_ada).await.unwrap();
        store.import(vec![key("c")], "ada").await.unwrap_err();
        assert_eq!(cache_size(&store).await, before);
    }
}
