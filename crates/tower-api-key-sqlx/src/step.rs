//! The steps of a change, inside its transaction.

use super::quota_column::write_quotas;
use super::statement::Statement;
use super::trail::Step;
use super::{json, query, row};
use tower_api_key::events::EventKind;
use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord};
use tower_api_key::store::{
    Action, Difference, Invalidation, KeyEntry, KeyUpdate, ManageError, NewKey, SecretEntry,
    apply_update,
};

/// A last use has the network of a client, which nothing needs once the key is deleted.
const DELETE_LAST_USE: &str = "DELETE FROM {usage_keys} WHERE key_id = $1";

const DELETE_LAST_USES: &str =
    "DELETE FROM {usage_keys} WHERE key_id IN (SELECT id FROM {keys} WHERE account = $1)";

impl Step<'_> {
    /// Adds a key, unless its owner has too many or it breaks a policy.
    pub(super) async fn add(&mut self, key: &NewKey) -> Result<(), ManageError> {
        self.check_owner(&key.record).await?;
        self.check_new(key).await?;
        let new = self.new_of(std::slice::from_ref(key), false).await?;
        if self.add_all(&new, true).await? != 1 {
            return Err(ManageError::Exists);
        }
        let (record, expires) = (&key.record, key.record.expires().map(|at| at.to_string()));
        let account = record.account().id().as_str();
        let expires = [("expires", expires.into())];
        self.note_event(EventKind::Created, record.id().as_str(), account, &expires).await
    }

    /// Revokes the other keys of a record's account, owner and audience.
    pub(super) async fn revoke_others(&mut self, record: &KeyRecord) -> Result<(), ManageError> {
        let others = Statement::new(&self.store.queries.others_of_owner)
            .bind(record.account().id().as_str())
            .bind(record.id().as_str())
            .bind(record.owner().unwrap_or_default())
            .bind(record.audience().map_or("", |audience| audience.as_str()));
        for other in self.fetch(others).await? {
            self.revoke(&row::text(&*other, "id")?).await?;
        }
        Ok(())
    }

    /// Changes a key, unless its owner gets too many or it breaks a policy.
    pub(super) async fn update(
        &mut self,
        id: &str,
        change: KeyUpdate,
    ) -> Result<KeyEntry, ManageError> {
        let before = self.locked(id).await?;
        // The change may give the key another owner, so the state after it counts.
        let after = apply_update(&before.record, change)?;
        self.check_owner(&after).await?;
        self.check_changed(&before, &after).await?;
        self.write(&before, &after).await?;
        // Read again: the account's state is the store's, not the one in the edited record.
        self.locked(id).await
    }

    /// Writes the new state of a key.
    pub(super) async fn write(
        &mut self,
        before: &KeyEntry,
        after: &KeyRecord,
    ) -> Result<(), ManageError> {
        let record = &before.record;
        let (id, account) = (record.id().as_str(), record.account().id().as_str());
        let updated = Statement::new(&self.store.queries.update_key).bind(id).bind(account);
        self.execute(settings(updated, after)).await?;
        // Also if they stay the same: a program of an earlier release may have added the key without tags.
        self.replace_tags(after).await?;
        self.announce_secrets(before);
        let differences = Difference::of_keys(Some(record), Some(after));
        self.note(Action::KeyUpdated, Some(id), account, &differences).await?;
        if after.is_revoked() && !record.is_revoked() {
            self.note_event(EventKind::Revoked, id, account, &[]).await?;
        }
        if after.is_disabled_itself() && !record.is_disabled_itself() {
            self.note_event(EventKind::SwitchedOff, id, account, &[]).await?;
        }
        Ok(())
    }

    /// Revokes a key.
    pub(super) async fn revoke(&mut self, id: &str) -> Result<(), ManageError> {
        let account = self.announce_secrets_of(id).await?;
        let before = self.readable(id).await?.map(|entry| entry.record);
        let after = before.as_ref().and_then(|before| before.edit().revoked(true).build().ok());
        let revoked = Statement::new(&self.store.queries.revoke_key).bind(id);
        let is_new = self.execute(revoked).await? > 0;
        let differences = Difference::of_keys(before.as_ref(), after.as_ref());
        self.note(Action::KeyRevoked, Some(id), &account, &differences).await?;
        if is_new {
            return self.note_event(EventKind::Revoked, id, &account, &[]).await;
        }
        // That it leaked is news also of a key that was revoked before.
        self.note_leak(id, &account).await
    }

    /// Deletes a key and its secrets.
    pub(super) async fn delete(&mut self, id: &str) -> Result<(), ManageError> {
        let account = self.announce_secrets_of(id).await?;
        let before = self.readable(id).await?.map(|entry| entry.record);
        let queries = &self.store.queries;
        self.execute(Statement::made(self.store.tables.fill(DELETE_LAST_USE)).bind(id)).await?;
        for statement in [&queries.delete_secrets, &queries.delete_tags, &queries.delete_key] {
            self.execute(Statement::new(statement).bind(id)).await?;
        }
        let differences = Difference::of_keys(before.as_ref(), None);
        self.note(Action::KeyDeleted, Some(id), &account, &differences).await?;
        self.forget_occasions_of(id).await?;
        self.note_event(EventKind::Deleted, id, &account, &[]).await
    }

    /// Adds or replaces an account.
    pub(super) async fn save_account(&mut self, account: &Account) -> Result<(), ManageError> {
        let before = self.readable_account(account.id().as_str()).await?;
        let into = &self.store.queries.into_accounts;
        self.insert(into, 5, &[account], query::OR_REPLACED, |row, account| {
            account_columns(row, account)
        })
        .await?;
        self.announce(Invalidation::Account(account.id().clone()));
        let differences = Difference::of_accounts(before.as_ref(), Some(account));
        self.note(Action::AccountSaved, None, account.id().as_str(), &differences).await
    }

    /// Deletes an account, its keys and their secrets.
    pub(super) async fn delete_account(&mut self, id: &str) -> Result<(), ManageError> {
        let before = self.readable_account(id).await?;
        self.note_keys_of_deleted(id).await?;
        let queries = &self.store.queries;
        self.execute(Statement::made(self.store.tables.fill(DELETE_LAST_USES)).bind(id)).await?;
        // Connections of an application's pool may not enforce foreign keys.
        for statement in [
            &queries.delete_secrets_of_account,
            &queries.delete_tags_of_account,
            &queries.delete_keys_of_account,
        ] {
            self.execute(Statement::new(statement).bind(id)).await?;
        }
        if self.execute(Statement::new(&queries.delete_account).bind(id)).await? == 0 {
            return Err(ManageError::NotFound);
        }
        // The account existed, so its id is valid.
        self.announce(AccountId::new(id).map_or(Invalidation::Everything, Invalidation::Account));
        let differences = Difference::of_accounts(before.as_ref(), None);
        self.note(Action::AccountDeleted, None, id, &differences).await
    }

    /// Notifies other processes of a key's secrets, and returns its account. Reads no other column, so that
    /// a key with a broken row can be revoked or deleted.
    async fn announce_secrets_of(&mut self, id: &str) -> Result<String, ManageError> {
        let asked = Statement::new(&self.store.queries.account_of_key).bind(id);
        let rows = self.fetch(asked).await?;
        let row = rows.first().ok_or(ManageError::NotFound)?;
        let account = row.text("account").ok().flatten().unwrap_or_default();
        let asked = Statement::new(&self.store.queries.digests_of_key).bind(id);
        for row in self.fetch(asked).await? {
            self.announce(
                row::digest(&*row).map_or(Invalidation::Everything, Invalidation::Secret),
            );
        }
        Ok(account)
    }

    /// Notifies other processes of a key's secrets.
    pub(super) fn announce_secrets(&mut self, entry: &KeyEntry) {
        for digest in entry.secrets.iter().flat_map(SecretEntry::digests) {
            self.announce(Invalidation::Secret(digest));
        }
    }
}

/// Binds the changeable columns of a record, in their order.
pub(super) fn settings(statement: Statement, record: &KeyRecord) -> Statement {
    let list = |names: Vec<String>| json::write(&names);
    let scopes = record.own_scopes().map(|scopes| list(scopes.iter().map(str::to_owned).collect()));
    let networks = record.networks().map(|networks| networks.iter().map(ToString::to_string));
    let metadata: std::collections::BTreeMap<_, _> = record.all_metadata().collect();
    statement
        .bind(record.owner().map(str::to_owned))
        .bind(record.kind().map(|kind| kind.as_str().to_owned()))
        .bind(record.environment().map(|environment| environment.as_str().to_owned()))
        .bind(record.name())
        .bind(record.description())
        .bind(scopes)
        .bind(list(networks.into_iter().flatten().collect()))
        .bind(record.own_quotas().map(|quotas| write_quotas(quotas.as_slice())))
        .bind(json::write(&metadata))
        .bind(record.not_before().map(row::column))
        .bind(record.expires().map(row::column))
        .bind(i64::from(record.is_disabled_itself()))
        .bind(i64::from(record.is_revoked()))
        .bind(record.audience().map(|audience| audience.as_str().to_owned()))
        .bind(record.form().map(ToString::to_string))
}

pub(super) fn account_columns(statement: Statement, account: &Account) -> Statement {
    let scopes: Vec<&str> = account.scopes().iter().collect();
    statement
        .bind(account.id().as_str())
        .bind(i64::from(account.is_disabled()))
        .bind(json::write(&scopes))
        .bind(account.quotas().map(|quotas| write_quotas(quotas.as_slice())))
        .bind(account.plan().map(|plan| plan.as_str().to_owned()))
}

pub(super) fn bytes(digest: &KeyDigest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}
