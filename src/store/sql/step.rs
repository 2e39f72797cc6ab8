//! The parts of a change, inside its transaction.

use sqlx::Row;

use super::super::manage::{Action, Edit, KeyEntry, ManageError, NewKey};
use super::connect::Dialect;
use super::failure::failed;
use super::trail::{Query, Step};
use super::{query, row};
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, InvalidRecord, KeyDigest, KeyRecord};
use crate::store::invalidation::Invalidation;

impl Step<'_> {
    /// Adds a key.
    pub(super) async fn add(&mut self, key: &NewKey) -> Result<(), ManageError> {
        let added = self.import(std::slice::from_ref(key)).await?;
        if added == 1 { Ok(()) } else { Err(ManageError::Exists) }
    }

    /// Revokes the other keys of a record's account and owner.
    pub(super) async fn revoke_others(&mut self, record: &KeyRecord) -> Result<(), ManageError> {
        let others = sqlx::query(query::OTHERS_OF_OWNER)
            .bind(record.account().id().as_str().to_owned())
            .bind(record.id().as_str().to_owned())
            .bind(record.owner().unwrap_or_default().to_owned());
        for other in self.fetch(others).await? {
            let id: String = other.try_get("id").map_err(failed)?;
            self.revoke(&id).await?;
        }
        Ok(())
    }

    /// Changes a key.
    pub(super) async fn update(&mut self, id: &str, change: Edit) -> Result<KeyEntry, ManageError> {
        let before = self.locked(id).await?;
        let record = &before.record;
        let after = change(record.edit());
        // A key is revoked for good.
        let after = if record.is_revoked() { after.revoked(true) } else { after }.build()?;
        if after.id() != record.id() || after.account().id() != record.account().id() {
            return Err(InvalidRecord::Identity.into());
        }
        let account = record.account().id().as_str();
        let updated = sqlx::query(query::UPDATE_KEY).bind(id.to_owned()).bind(account.to_owned());
        self.execute(settings(updated, &after)).await?;
        self.tell_of(&before);
        self.note(Action::KeyEdited, Some(id), account).await?;
        // As others read it from now on: the account's state is the store's, not the change's.
        self.locked(id).await
    }

    /// Gives a key another secret.
    pub(super) async fn rotate(
        &mut self,
        id: &str,
        secret: KeyDigest,
        until: Timestamp,
    ) -> Result<KeyEntry, ManageError> {
        let account = self.locked(id).await?.record.account().id().clone();
        let ended = sqlx::query(query::END_SECRETS);
        self.execute(ended.bind(id.to_owned()).bind(row::column(until))).await?;
        let at = self.at();
        let added = self
            .insert(query::INTO_SECRETS, 3, &[secret], query::UNLESS_THERE, |row, secret| {
                row.bind(bytes(secret)).bind(id.to_owned()).bind(at)
            })
            .await?;
        if added == 0 {
            return Err(ManageError::Exists);
        }
        self.note(Action::KeyRotated, Some(id), account.as_str()).await?;
        let entry = self.locked(id).await?;
        self.tell_of(&entry);
        Ok(entry)
    }

    /// Revokes a key.
    pub(super) async fn revoke(&mut self, id: &str) -> Result<(), ManageError> {
        self.end(id, query::REVOKE_KEY, Action::KeyRevoked).await
    }

    /// Deletes a key, and with it its secrets.
    pub(super) async fn delete(&mut self, id: &str) -> Result<(), ManageError> {
        self.end(id, query::DELETE_KEY, Action::KeyDeleted).await
    }

    async fn end(
        &mut self,
        id: &str,
        statement: &'static str,
        action: Action,
    ) -> Result<(), ManageError> {
        let entry = self.locked(id).await?;
        self.execute(sqlx::query(statement).bind(id.to_owned())).await?;
        self.tell_of(&entry);
        self.note(action, Some(id), entry.record.account().id().as_str()).await
    }

    /// Adds or replaces an account.
    pub(super) async fn save_account(&mut self, account: &Account) -> Result<(), ManageError> {
        self.insert(query::INTO_ACCOUNTS, 5, &[account], query::OR_REPLACED, |row, account| {
            account_columns(row, account)
        })
        .await?;
        self.tell(Invalidation::Account(account.id().clone()));
        self.note(Action::AccountPut, None, account.id().as_str()).await
    }

    /// Deletes an account, and with it its keys.
    pub(super) async fn delete_account(&mut self, id: &str) -> Result<(), ManageError> {
        if self.execute(sqlx::query(query::DELETE_ACCOUNT).bind(id.to_owned())).await? == 0 {
            return Err(ManageError::NotFound);
        }
        // It was there, so its id is valid.
        self.tell(AccountId::new(id).map_or(Invalidation::Everything, Invalidation::Account));
        self.note(Action::AccountDeleted, None, id).await
    }

    /// Reads a key that nobody else changes until this is over.
    async fn locked(&mut self, id: &str) -> Result<KeyEntry, ManageError> {
        let query = match self.dialect {
            Dialect::Sqlite => query::GET,
            Dialect::Postgres => query::GET_FOR_UPDATE,
        };
        let rows = self.fetch(sqlx::query(query).bind(id.to_owned())).await?;
        row::entries(&rows)?.pop().ok_or(ManageError::NotFound)
    }

    /// Tells other processes of a key's secrets.
    fn tell_of(&mut self, entry: &KeyEntry) {
        for secret in &entry.secrets {
            self.tell(Invalidation::Secret(secret.digest));
        }
    }
}

/// Binds all of a record that can be changed, in the order of the columns.
pub(super) fn settings<'q>(query: Query<'q>, record: &KeyRecord) -> Query<'q> {
    let list = |names: Vec<String>| row::write(&names);
    let scopes = record.own_scopes().map(|scopes| list(scopes.iter().map(str::to_owned).collect()));
    let networks = record.networks().map(|networks| networks.iter().map(ToString::to_string));
    let metadata: std::collections::BTreeMap<_, _> = record.all_metadata().collect();
    query
        .bind(record.owner().map(str::to_owned))
        .bind(record.kind().map(|kind| kind.as_str().to_owned()))
        .bind(record.environment().map(|environment| environment.as_str().to_owned()))
        .bind(record.name().to_owned())
        .bind(record.description().to_owned())
        .bind(scopes)
        .bind(list(networks.into_iter().flatten().collect()))
        .bind(record.own_quotas().map(|quotas| row::write_quotas(quotas.as_slice())))
        .bind(row::write(&metadata))
        .bind(record.not_before().map(row::column))
        .bind(record.expires().map(row::column))
        .bind(i64::from(record.is_disabled_itself()))
        .bind(i64::from(record.is_revoked()))
}

pub(super) fn account_columns<'q>(query: Query<'q>, account: &Account) -> Query<'q> {
    let scopes: Vec<&str> = account.scopes().iter().collect();
    query
        .bind(account.id().as_str().to_owned())
        .bind(i64::from(account.is_disabled()))
        .bind(row::write(&scopes))
        .bind(account.quotas().map(|quotas| row::write_quotas(quotas.as_slice())))
        .bind(account.plan().map(|plan| plan.as_str().to_owned()))
}

pub(super) fn bytes(digest: &KeyDigest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}
