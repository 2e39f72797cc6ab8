//! Keys that are copied from another store: each key with all its secrets, each secret with its own record.

use std::collections::HashSet;
use std::sync::Arc;

use super::index::identity;
use super::page::Entry;
use super::table::Location;
use super::writer::Writer;
use crate::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};

/// The secrets of a key, with their records.
pub(in crate::store) type CopiedSecrets = Vec<(KeyDigest, KeyRecord)>;

impl Writer<'_> {
    /// Makes a key have these secrets and no others. A key without secrets is removed. A secret that belongs to
    /// another key is taken from that key, which keeps its others.
    pub(super) fn set_key(&mut self, id: &KeyId, secrets: CopiedSecrets) {
        self.make_room(secrets.len());
        let former = self.secrets_of(id);
        let mut present = Vec::with_capacity(secrets.len());
        for (digest, record) in secrets {
            if !former.contains(&digest) {
                self.take_from_other(&digest, id);
            }
            let account = self.index.accounts.canonical(record.account());
            if self.put(digest, record.under(account)).is_some() {
                present.push(digest);
            }
        }
        for digest in former.iter().filter(|digest| !present.contains(digest)) {
            self.withdraw(digest);
        }
        self.reindex(id, present);
    }

    /// Adds a secret to its key, beside the key's other secrets.
    pub(super) fn add_secret(&mut self, digest: KeyDigest, record: KeyRecord) {
        self.make_room(1);
        let id = record.id().clone();
        let mut secrets = self.secrets_of(&id);
        if !secrets.contains(&digest) {
            self.take_from_other(&digest, &id);
            secrets.push(digest);
        }
        let account = self.index.accounts.canonical(record.account());
        if self.put(digest, record.under(account)).is_some() {
            self.reindex(&id, secrets);
        }
    }

    /// Applies the state of an account to its keys, except to those that are set anew afterwards. An account without
    /// keys is not kept.
    pub(super) fn set_account(&mut self, account: Account, except: &HashSet<KeyId>) {
        let Some(account) = self.index.accounts.set_state(account) else { return };
        let id = account.id().clone();
        let old = self.index.history.all_old();
        self.make_room(self.index.accounts.keys_of(id.as_str()).len() + old);
        for at in self.index.accounts.take_keys(id.as_str()) {
            let at = self.under(at, &account, except).unwrap_or(at);
            self.index.accounts.join(&account, at, None);
        }
    }

    /// Removes the keys of an account, except those that are set anew afterwards.
    pub(super) fn remove_keys_of(&mut self, account: &AccountId, except: &HashSet<KeyId>) {
        let Some(members) = self.index.accounts.get(account.as_str()) else { return };
        let state = Arc::clone(&members.account);
        let taken = self.index.accounts.take_keys(account.as_str());
        let ids = taken.into_iter().filter_map(|at| identity(&self.table, at));
        let (kept, gone): (Vec<KeyId>, Vec<KeyId>) =
            ids.map(|(_, id, _)| id).partition(|id| except.contains(id));
        for id in gone {
            self.set_key(&id, Vec::new());
        }
        for id in kept {
            if let Some(at) = self.index.find(&self.table, id.as_str()) {
                self.index.accounts.join(&state, at, None);
            }
        }
    }

    /// Rewrites the secrets of the key at a location under another state of its account. Returns its new location, or
    /// `None` if the key is excepted.
    fn under(
        &mut self,
        at: Location,
        account: &Arc<Account>,
        except: &HashSet<KeyId>,
    ) -> Option<Location> {
        let Entry { digest, record } = self.table.entry(at)?.clone();
        if except.contains(record.id()) {
            return None;
        }
        for (old, _) in self.index.history.old(record.id().as_str()) {
            if let Some((digest, record)) = self.copy_of(&old)
                && record.account().id() == account.id()
            {
                self.put(digest, record.under(Arc::clone(account)));
            }
        }
        self.place(digest, record.under(Arc::clone(account)))
    }

    /// Publishes a record under a digest, and leaves the index unchanged. The caller has made room.
    fn put(&mut self, digest: KeyDigest, record: KeyRecord) -> Option<Location> {
        let at = self.index.next_location()?;
        self.table.place(at, Entry { digest, record });
        self.table.publish(&digest, at);
        Some(at)
    }

    /// Returns the secrets of a key.
    fn secrets_of(&self, id: &KeyId) -> Vec<KeyDigest> {
        let newest = self.find(id.as_str()).map(|entry| entry.digest);
        let old = self.index.history.old(id.as_str()).into_iter().map(|(digest, _)| digest);
        newest.into_iter().chain(old).collect()
    }

    fn copy_of(&self, digest: &KeyDigest) -> Option<(KeyDigest, KeyRecord)> {
        let entry = self.table.entry(self.table.locate(digest)?)?;
        Some((entry.digest, entry.record.clone()))
    }

    /// Returns true if a secret is known, and its record could not be read.
    pub(super) fn is_secret_unreadable(&self, digest: &KeyDigest) -> bool {
        self.copy_of(digest).is_some_and(|(_, record)| record.is_unreadable())
    }

    /// Takes a secret from another key that has it. Readers still find the secret.
    fn take_from_other(&mut self, digest: &KeyDigest, id: &KeyId) {
        let found = self.table.locate(digest).and_then(|at| identity(&self.table, at));
        let Some((_, other, _)) = found.filter(|(_, other, _)| other != id) else { return };
        let mut secrets = self.secrets_of(&other);
        secrets.retain(|secret| secret != digest);
        self.reindex(&other, secrets);
    }

    /// Makes the index lead from a key to its secrets, which are published already. The first one that could be read
    /// leads to the account.
    fn reindex(&mut self, id: &KeyId, mut secrets: Vec<KeyDigest>) {
        let is_unreadable = |digest: &KeyDigest| {
            self.copy_of(digest).is_none_or(|(_, record)| record.is_unreadable())
        };
        if secrets.len() > 1 {
            secrets.sort_by_key(is_unreadable);
        }
        let first = secrets.first().and_then(|digest| self.table.locate(digest));
        let first = first.and_then(|at| Some((at, self.table.entry(at)?)));
        // The account is forgotten with its last key, and its state may be newer than the record's.
        let account = first.map(|(_, entry)| self.index.accounts.canonical(entry.record.account()));
        if let Some(at) = self.index.find(&self.table, id.as_str())
            && let Some((_, _, account)) = identity(&self.table, at)
        {
            self.index.forget(&self.table, id, &account);
        }
        self.index.history.forget(id);
        let (Some((at, entry)), Some(account)) = (first, account) else { return };
        self.index.note(&self.table, &entry.record, at);
        self.index.accounts.join(&account, at, None);
        self.index.history.keep_secrets(id, &secrets);
    }
}

#[cfg(test)]
#[cfg(not(shuttle))] // Tables are smaller under Shuttle.
mod tests {
    use super::super::MemoryStore;
    use super::*;
    use crate::key::SharedRecord;

    const fn secret(byte: u8) -> KeyDigest {
        KeyDigest::from_bytes([byte; 32])
    }

    fn record(id: &str, account: &str) -> KeyRecord {
        KeyRecord::bare(id, account)
    }

    fn id(text: &str) -> KeyId {
        KeyId::new(text).unwrap()
    }

    fn found(store: &MemoryStore, byte: u8) -> Option<SharedRecord> {
        store.find_now(&secret(byte))
    }

    fn keys_of(store: &MemoryStore, account: &str) -> usize {
        store.writer().index.accounts.keys_of(account).len()
    }

    #[test]
    fn a_key_has_the_secrets_that_it_was_given() {
        let store = MemoryStore::new();
        let set = |secrets: &[u8], account| {
            let of = |byte: &u8| (secret(*byte), record("key", account));
            store.writer().set_key(&id("key"), secrets.iter().map(of).collect());
        };
        for (secrets, account) in [
            (&[1, 2, 3][..], "acme"),
            (&[3, 2], "acme"),
            (&[4], "acme"),
            (&[4], "other"),
            (&[1, 4], "acme"),
            (&[2, 1, 4, 5], "other"),
            (&[], "acme"),
            (&[1], "acme"),
        ] {
            set(secrets, account);
            for byte in 1..6 {
                let found = found(&store, byte);
                let account_found = found.as_ref().map(|record| record.account().id().as_str());
                let expected = secrets.contains(&byte).then_some(account);
                assert_eq!(account_found, expected, "{byte} of {secrets:?}");
            }
            assert_eq!(store.len(), usize::from(!secrets.is_empty()));
            assert_eq!(keys_of(&store, account), usize::from(!secrets.is_empty()));
            let old = store.writer().index.history.all_old();
            assert_eq!(old, secrets.len().saturating_sub(1), "{secrets:?}");
        }
    }

    #[test]
    fn a_secret_that_moves_is_always_found_and_the_other_key_keeps_its_others() {
        for moved in [1, 2, 3] {
            let store = MemoryStore::new();
            let of = |byte| (secret(byte), record("from", "acme"));
            store.writer().set_key(&id("from"), vec![of(1), of(2), of(3)]);
            store.writer().set_key(&id("to"), vec![(secret(moved), record("to", "other"))]);
            for byte in 1..=3 {
                let expected = if byte == moved { "to" } else { "from" };
                assert_eq!(*found(&store, byte).unwrap().id(), *expected, "{byte} of {moved}");
            }
            assert_eq!((keys_of(&store, "acme"), keys_of(&store, "other")), (1, 1));
            store.writer().set_key(&id("from"), Vec::new());
            assert!(found(&store, moved).is_some());
            assert_eq!((store.len(), store.writer().index.history.all_old()), (1, 0));
        }
    }

    #[test]
    fn an_account_applies_to_all_secrets_except_of_named_keys() {
        let store = MemoryStore::new();
        for (number, key) in ["one", "two"].into_iter().enumerate() {
            let secrets = [1, 2].map(|byte| secret(byte + 10 * u8::try_from(number).unwrap()));
            let secrets = secrets.map(|digest| (digest, record(key, "acme")));
            store.writer().set_key(&id(key), secrets.to_vec());
        }
        let named = HashSet::from([id("two")]);
        let disabled = || Account::builder("acme").disabled(true).build().unwrap();
        store.writer().set_account(disabled(), &named);
        let is_disabled = |byte| found(&store, byte).unwrap().is_disabled();
        assert_eq!([1, 2, 11, 12].map(is_disabled), [true, true, false, false]);
        store.writer().set_account(disabled(), &HashSet::new());
        assert_eq!([1, 2, 11, 12].map(is_disabled), [true; 4]);
        store.writer().remove_keys_of(disabled().id(), &named);
        let is_there = |byte| found(&store, byte).is_some();
        assert_eq!([1, 2, 11, 12].map(is_there), [false, false, true, true]);
        store.writer().remove_keys_of(disabled().id(), &HashSet::new());
        assert!(store.is_empty());
        store.writer().set_account(disabled(), &named);
        assert!(store.find_account_now("acme").is_none(), "an account without keys is not kept");
    }

    #[test]
    fn a_key_is_led_to_by_a_secret_that_could_be_read() {
        let store = MemoryStore::new();
        let broken = || (secret(1), KeyRecord::unreadable(id("key")));
        store.writer().set_key(&id("key"), vec![broken(), (secret(2), record("key", "acme"))]);
        assert_eq!(keys_of(&store, "acme"), 1);
        assert!(found(&store, 1).unwrap().is_unreadable());
        assert!(!found(&store, 2).unwrap().is_unreadable());
        store.writer().set_key(&id("key"), vec![broken()]);
        assert_eq!(keys_of(&store, "acme"), 0);
        store.writer().add_secret(secret(3), record("key", "acme"));
        assert_eq!(keys_of(&store, "acme"), 1);
        store.writer().set_key(&id("key"), Vec::new());
        assert!(store.is_empty() && found(&store, 1).is_none());
    }

    #[test]
    fn many_changes_leave_no_room_unused() {
        let store = MemoryStore::new();
        for round in 0..300_u32 {
            for key in 0..20 {
                let name = format!("key_{key}");
                let secrets = (0..=(round + key) % 4).map(|number| {
                    let byte = u8::try_from(key * 4 + number).unwrap();
                    (secret(byte), record(&name, "acme"))
                });
                store.writer().set_key(&id(&name), secrets.collect());
            }
        }
        let (writer, live) = (store.writer(), 20 + store.0.table.load().most_slots());
        assert!(writer.index.len() == 20 && live < 2_000, "the table has {live} slots");
    }
}
