//! The present state of what a change is about to change.

use super::dialect::Dialect;
use super::driver::Row;
use super::row;
use super::statement::Statement;
use super::trail::Step;
use tower_api_key::key::Account;
use tower_api_key::store::{KeyEntry, ManageError};

impl Step<'_> {
    /// Reads a key and locks it until the transaction ends.
    pub(super) async fn locked(&mut self, id: &str) -> Result<KeyEntry, ManageError> {
        let rows = self.lock(id).await?;
        let (_, entry) = row::entries(&rows)?.pop().ok_or(ManageError::NotFound)?;
        Ok(entry?)
    }

    /// Reads a key as [`locked`](Self::locked) does. Returns `None` if there is no such key, or if its row cannot be
    /// read.
    pub(super) async fn readable(&mut self, id: &str) -> Result<Option<KeyEntry>, ManageError> {
        let rows = self.lock(id).await?;
        let found = row::entries(&rows).ok().and_then(|mut entries| entries.pop());
        Ok(found.and_then(|(_, entry)| entry.ok()))
    }

    /// Reads a key for the answer to its change, as [`readable`](Self::readable) does, without the secrets that management
    /// no longer shows.
    pub(super) async fn shown(&mut self, id: &str) -> Result<Option<KeyEntry>, ManageError> {
        let mut found = self.readable(id).await?;
        if let Some(entry) = &mut found {
            self.store.retention.hide(&mut entry.secrets, self.now());
        }
        Ok(found)
    }

    /// Reads an account. Returns `None` if there is no such account, or if its row cannot be read.
    pub(super) async fn readable_account(
        &mut self,
        id: &str,
    ) -> Result<Option<Account>, ManageError> {
        let asked = Statement::new(&self.store.queries.find_account).bind(id);
        let rows = self.fetch(asked).await?;
        Ok(rows.first().and_then(|found| row::account(&**found).ok()))
    }

    /// Reads an account. Returns `None` if there is no such account.
    pub(super) async fn account(&mut self, id: &str) -> Result<Option<Account>, ManageError> {
        let asked = Statement::new(&self.store.queries.find_account).bind(id);
        let rows = self.fetch(asked).await?;
        Ok(rows.first().map(|found| row::account(&**found)).transpose()?)
    }

    async fn lock(&mut self, id: &str) -> Result<Vec<Row>, ManageError> {
        let query = match self.store.dialect {
            Dialect::Sqlite => &self.store.queries.get,
            Dialect::Postgres => &self.store.queries.get_for_update,
        };
        self.fetch(Statement::new(query).bind(id)).await
    }
}
