//! What a replica does with the store in memory: keys of another store, and the exchange of all of them.

use std::collections::HashSet;
use std::sync::Arc;

use super::copied::CopiedSecrets;
use super::store::MemoryStore;
use super::table::Table;
use crate::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};

impl MemoryStore {
    /// Makes room for this many secrets in an empty store.
    ///
    /// A table begins its search at the first bits of a digest. Secrets that are added in their order would all crowd the
    /// beginning of a table that is too small for the rest, and each search would pass most of them.
    pub(in crate::store) fn reserve(&self, secrets: usize) {
        let mut writer = self.writer();
        if writer.index.len() == 0 {
            writer.publish(Arc::new(Table::with_room_for(secrets)));
        }
    }

    /// Adds secrets, each beside the other secrets of its key.
    pub(in crate::store) fn add_secrets(
        &self,
        secrets: impl Iterator<Item = (KeyDigest, KeyRecord)>,
    ) {
        let mut writer = self.writer();
        secrets.for_each(|(digest, record)| writer.add_secret(digest, record));
    }

    /// Returns true if a key is known, and no record of it could be read.
    pub(in crate::store) fn is_unreadable(&self, id: &KeyId) -> bool {
        self.writer().find(id.as_str()).is_some_and(|entry| entry.record.is_unreadable())
    }

    /// Gives these secrets their records, where the ones before stand for records that could not be read.
    pub(in crate::store) fn repair_secrets(
        &self,
        secrets: impl Iterator<Item = (KeyDigest, KeyRecord)>,
    ) {
        let mut writer = self.writer();
        for (digest, record) in secrets {
            if writer.is_secret_unreadable(&digest) {
                writer.add_secret(digest, record);
            }
        }
    }

    /// Makes each key have these secrets and no others. A key without secrets is removed.
    pub(in crate::store) fn set_keys(&self, keys: impl Iterator<Item = (KeyId, CopiedSecrets)>) {
        let mut writer = self.writer();
        keys.for_each(|(id, secrets)| writer.set_key(&id, secrets));
    }

    /// Applies the state of an account to its keys, except to these.
    pub(in crate::store) fn set_account(&self, account: Account, except: &HashSet<KeyId>) {
        self.writer().set_account(account, except);
    }

    /// Removes the keys of an account, except these.
    pub(in crate::store) fn remove_keys_of(&self, account: &AccountId, except: &HashSet<KeyId>) {
        self.writer().remove_keys_of(account, except);
    }

    /// Exchanges the contents with another store.
    pub(in crate::store) fn exchange(&self, other: &Self) {
        let (mut one, mut two) = (self.writer(), other.writer());
        std::mem::swap(&mut *one.index, &mut *two.index);
        let table = Arc::clone(&two.table);
        two.publish(Arc::clone(&one.table));
        one.publish(table);
    }
}
