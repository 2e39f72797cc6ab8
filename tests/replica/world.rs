//! A store as plain maps, with the history of its changes. A clone is a backup.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord};
use tower_api_key::store::{
    BrokenRow, FeedAnswer, FeedChange, FeedChanges, FeedPage, FeedPosition, FeedSecret,
    ManageError, NewKey,
};

#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) keys: BTreeMap<String, StoredKey>,
    pub(crate) accounts: BTreeMap<String, Arc<Account>>,
    /// The accounts whose row is broken.
    broken_accounts: BTreeSet<String>,
    trail: Vec<(FeedPosition, What)>,
    last: FeedPosition,
    /// The changes up to this number are gone from the trail.
    pruned: u64,
}

#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) record: KeyRecord,
    pub(crate) secrets: Vec<(KeyDigest, Option<Timestamp>)>,
    pub(crate) broken: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Key(String),
    Account(String),
    AccountDeleted(String),
}

impl World {
    pub(crate) fn position(&self) -> FeedPosition {
        self.last
    }

    /// Writes a line of the trail, under a new random mark.
    fn note(&mut self, what: What) {
        let sequence = self.last.sequence + 1 + rand::random::<u64>() % 2;
        self.last = FeedPosition { sequence, mark: rand::random() };
        self.trail.push((self.last, what));
    }

    pub(crate) fn prune(&mut self) {
        self.trail.clear();
        self.pruned = self.last.sequence;
    }

    /// Returns the record of a secret, or `Err` if its row is broken.
    pub(crate) fn find(&self, digest: &KeyDigest) -> Option<Result<KeyRecord, BrokenRow>> {
        let of = |key: &&StoredKey| key.secrets.iter().any(|(secret, _)| secret == digest);
        let key = self.keys.values().find(of)?;
        key.shown(self)
            .into_iter()
            .find(|secret| secret.digest == *digest)
            .map(|shown| shown.record)
    }

    pub(crate) fn add(&mut self, new: NewKey) -> Result<(), ManageError> {
        let NewKey { digest, record, revokes_others, .. } = new;
        let id = record.id().to_string();
        if self.keys.contains_key(&id) || self.find(&digest).is_some() {
            return Err(ManageError::Exists);
        }
        let account = record.account().id().to_string();
        self.accounts.entry(account.clone()).or_insert_with(|| Arc::clone(record.account()));
        if revokes_others {
            let alike = |key: &StoredKey| {
                *key.record.account().id() == account[..]
                    && (key.record.owner(), key.record.audience())
                        == (record.owner(), record.audience())
            };
            let others = self.keys.iter().filter(|(_, key)| alike(key));
            for other in others.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                self.update(&other, |record| record.edit().revoked(true).build().unwrap())?;
            }
        }
        let key = StoredKey { record, secrets: vec![(digest, None)], broken: false };
        self.keys.insert(id.clone(), key);
        self.note(What::Key(id));
        Ok(())
    }

    pub(crate) fn update(
        &mut self,
        id: &str,
        change: impl FnOnce(&KeyRecord) -> KeyRecord,
    ) -> Result<(), ManageError> {
        let key = self.keys.get_mut(id).ok_or(ManageError::NotFound)?;
        key.record = change(&key.record);
        self.note(What::Key(id.to_owned()));
        Ok(())
    }

    pub(crate) fn rotate(
        &mut self,
        id: &str,
        secret: KeyDigest,
        until: Timestamp,
    ) -> Result<(), ManageError> {
        if self.find(&secret).is_some() {
            return Err(ManageError::Exists);
        }
        let key = self.keys.get_mut(id).ok_or(ManageError::NotFound)?;
        for (_, expires) in &mut key.secrets {
            *expires = Some(expires.map_or(until, |expires| expires.min(until)));
        }
        key.secrets.insert(0, (secret, None));
        self.note(What::Key(id.to_owned()));
        Ok(())
    }

    /// Makes the row of a key unreadable, or readable again.
    pub(crate) fn set_broken(&mut self, id: &str, broken: bool) {
        if let Some(key) = self.keys.get_mut(id) {
            key.broken = broken;
            self.note(What::Key(id.to_owned()));
        }
    }

    /// Makes the row of an account unreadable, and shows that to each of its keys. Saving the account repairs it.
    pub(crate) fn break_account(&mut self, id: &str) {
        if self.accounts.contains_key(id) {
            self.broken_accounts.insert(id.to_owned());
            for key in self.keys_of(id) {
                self.note(What::Key(key));
            }
        }
    }

    fn keys_of(&self, account: &str) -> Vec<String> {
        let of = |key: &StoredKey| *key.record.account().id() == *account;
        self.keys.iter().filter(|(_, key)| of(key)).map(|(id, _)| id.clone()).collect()
    }

    /// Moves a secret to another key, in one step.
    pub(crate) fn move_secret(&mut self, from: &str, to: &str) {
        if from == to || !self.keys.contains_key(to) {
            return;
        }
        let Some(moved) = self.keys.get_mut(from).and_then(|key| key.secrets.pop()) else { return };
        if self.keys[from].secrets.is_empty() {
            self.keys.remove(from);
        }
        self.keys.get_mut(to).unwrap().secrets.push(moved);
        self.note(What::Key(from.to_owned()));
        self.note(What::Key(to.to_owned()));
    }

    pub(crate) fn delete(&mut self, id: &str) -> Result<(), ManageError> {
        self.keys.remove(id).ok_or(ManageError::NotFound)?;
        self.note(What::Key(id.to_owned()));
        Ok(())
    }

    pub(crate) fn save_account(&mut self, account: Account) {
        let id = account.id().to_string();
        self.accounts.insert(id.clone(), Arc::new(account));
        self.broken_accounts.remove(&id);
        self.note(What::Account(id));
    }

    pub(crate) fn delete_account(&mut self, id: &str) -> Result<(), ManageError> {
        self.accounts.remove(id).ok_or(ManageError::NotFound)?;
        self.broken_accounts.remove(id);
        self.keys.retain(|_, key| *key.record.account().id() != *id);
        self.note(What::AccountDeleted(id.to_owned()));
        Ok(())
    }

    /// Whether a position belongs to this history, and the changes since are in the trail.
    fn has(&self, position: FeedPosition) -> bool {
        if position == self.last {
            return true;
        }
        if position == FeedPosition::START {
            return self.pruned == 0;
        }
        self.trail.iter().any(|(line, _)| *line == position)
    }

    pub(crate) fn page(
        &self,
        account: Option<&AccountId>,
        position: FeedPosition,
        after: Option<KeyDigest>,
        most: usize,
    ) -> FeedAnswer<FeedPage> {
        if !self.has(position) {
            return FeedAnswer::Diverged;
        }
        let is_meant = |key: &&StoredKey| account.is_none_or(|id| key.record.account().id() == id);
        let keys = self.keys.values().filter(is_meant);
        let mut secrets: Vec<FeedSecret> = keys.flat_map(|key| key.shown(self)).collect();
        secrets
            .retain(|secret| after.is_none_or(|after| secret.digest.as_bytes() > after.as_bytes()));
        secrets.sort_by_key(|secret| *secret.digest.as_bytes());
        let is_last = secrets.len() <= most;
        secrets.truncate(most);
        FeedAnswer::Same(FeedPage { secrets, is_last, latest: self.last })
    }

    pub(crate) fn changes(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
        most: usize,
    ) -> FeedAnswer<FeedChanges> {
        if !self.has(since) || !self.has(seen) {
            return FeedAnswer::Diverged;
        }
        let later = self.trail.iter().filter(|(line, _)| line.sequence > since.sequence);
        let lines: Vec<_> = later.take(most).collect();
        let position = lines.last().map_or(since, |(line, _)| *line);
        let mut named: Vec<What> = lines.into_iter().map(|(_, what)| what.clone()).collect();
        named.sort();
        named.dedup();
        let mut changes = Vec::new();
        for what in named {
            match what {
                What::Key(id) => changes.push(self.key(&id)),
                What::Account(id) if self.broken_accounts.contains(&id) => {
                    changes.extend(self.keys_of(&id).iter().map(|key| self.key(key)));
                }
                What::Account(id) => changes.push(self.account(&id)),
                What::AccountDeleted(id) => {
                    let gone = AccountId::new(&id).unwrap();
                    changes.push(FeedChange::Account { id: gone, account: None });
                    if self.broken_accounts.contains(&id) {
                        changes.extend(self.keys_of(&id).iter().map(|key| self.key(key)));
                    } else if self.accounts.contains_key(&id) {
                        changes.push(self.account(&id));
                    }
                }
            }
        }
        let more = position != self.last;
        let behind = std::time::Duration::ZERO;
        FeedAnswer::Same(FeedChanges { changes, position, latest: self.last, more, behind })
    }

    fn key(&self, id: &str) -> FeedChange {
        FeedChange::Key {
            id: tower_api_key::key::KeyId::new(id).unwrap(),
            secrets: self.keys.get(id).map_or_else(Vec::new, |key| key.shown(self)),
        }
    }

    fn account(&self, id: &str) -> FeedChange {
        FeedChange::Account {
            id: AccountId::new(id).unwrap(),
            account: self.accounts.get(id).map(|account| Account::clone(account)),
        }
    }
}

impl StoredKey {
    /// Returns the secrets with the present record.
    fn shown(&self, world: &World) -> Vec<FeedSecret> {
        let account = &world.accounts[self.record.account().id().as_str()];
        let record = self.record.clone().with_account(Arc::clone(account)).unwrap();
        let shown = |(digest, expires): &(KeyDigest, Option<Timestamp>)| {
            let ends = [*expires, record.expires()].into_iter().flatten().min();
            let record = match ends {
                Some(ends) => record.edit().expires(ends).build().unwrap(),
                None => record.clone(),
            };
            let id = record.id().to_string();
            let account = record.account().id().clone();
            let is_broken = self.broken || world.broken_accounts.contains(account.as_str());
            let problem = "the row is broken".to_owned();
            let broken = BrokenRow { id, account: Some(account), problem };
            let record = if is_broken { Err(broken) } else { Ok(record) };
            FeedSecret { digest: *digest, record }
        };
        self.secrets.iter().map(shown).collect()
    }
}
