//! Data for management only: when keys were added, their old secrets, and the audit trail.

use std::collections::{HashMap, VecDeque};

use super::super::manage::{Change, Retention, SecretEntry, TrailFilter};
use super::line::{Line, Made};
use crate::clock::Timestamp;
use crate::key::{KeyDigest, KeyId};

/// The most changes that the trail keeps.
const TRAIL: usize = 10_000;

#[derive(Default)]
pub(super) struct History {
    /// Only keys that were added through `KeyManager`, rotated, or have a recorded use. Others cost no
    /// memory.
    keys: HashMap<KeyId, Past>,
    /// The number of old secrets of all keys.
    old: usize,
    trail: VecDeque<Change>,
    last: u64,
    pub(super) retention: Retention,
}

/// The history of one key.
struct Past {
    created: Timestamp,
    /// Newest first. All except the first are old.
    secrets: Vec<SecretEntry>,
}

impl History {
    /// Begins the history of a key.
    pub(super) fn begin(&mut self, id: &KeyId, secret: KeyDigest, now: Timestamp) {
        let secrets = vec![SecretEntry::new(secret, now)];
        self.keys.insert(id.clone(), Past { created: now, secrets });
    }

    /// Adds a secret as the newest of a key. The earlier secrets expire at `until`, unless they expire
    /// before. Returns the secrets whose expiry changed.
    pub(super) fn rotate(
        &mut self,
        id: &KeyId,
        former: KeyDigest,
        secret: KeyDigest,
        until: Timestamp,
        now: Timestamp,
    ) -> Vec<SecretEntry> {
        let past = self.past(id, former);
        let mut ending = Vec::new();
        for old in past.secrets.iter_mut().filter(|old| ends_after(old, until)) {
            old.expires = Some(until);
            ending.push(old.clone());
        }
        past.secrets.insert(0, SecretEntry::new(secret, now));
        self.old += 1;
        ending
    }

    /// Returns how many old secrets of a key are valid after an instant. The newest secret is not counted.
    pub(super) fn serving_after(&self, id: &str, until: Timestamp) -> usize {
        let old = self.keys.get(id).map(|past| past.secrets.iter().skip(1));
        old.into_iter().flatten().filter(|old| ends_after(old, until)).count()
    }

    /// Returns the expired secrets of a key that its next rotation deletes.
    pub(super) fn gone(&self, id: &str, now: Timestamp) -> Vec<KeyDigest> {
        let secrets = self.keys.get(id).map(|past| self.retention.to_delete(&past.secrets, now));
        secrets.unwrap_or_default()
    }

    /// Records a use of a secret of a key.
    pub(super) fn note_use(
        &mut self,
        id: &KeyId,
        newest: KeyDigest,
        secret: &KeyDigest,
        at: Timestamp,
    ) {
        let past = self.past(id, newest);
        if let Some(used) = past.secrets.iter_mut().find(|other| other.digest == *secret) {
            used.last_used = used.last_used.max(Some(at));
        }
    }

    /// Returns the history of a key. A key without one gets a history with its one secret.
    fn past(&mut self, id: &KeyId, newest: KeyDigest) -> &mut Past {
        let created = Timestamp::default();
        let begin = || Past { created, secrets: vec![SecretEntry::new(newest, created)] };
        self.keys.entry(id.clone()).or_insert_with(begin)
    }

    /// Returns when a key was added, and its secrets.
    pub(super) fn of(&self, id: &str, newest: KeyDigest) -> (Timestamp, Vec<SecretEntry>) {
        let unknown = Timestamp::default();
        self.keys.get(id).map_or_else(
            || (unknown, vec![SecretEntry::new(newest, unknown)]),
            |past| (past.created, past.secrets.clone()),
        )
    }

    /// Returns the number of old secrets of a key.
    pub(super) fn count_old(&self, id: &str) -> usize {
        self.keys.get(id).map_or(0, |past| past.secrets.len().saturating_sub(1))
    }

    /// Returns the old secrets of a key.
    pub(super) fn old(&self, id: &str) -> Vec<SecretEntry> {
        let secrets = self.keys.get(id).map(|past| past.secrets.iter().skip(1));
        secrets.into_iter().flatten().cloned().collect()
    }

    /// Returns the ids of keys with old secrets, and these secrets.
    pub(super) fn with_old(&self) -> impl Iterator<Item = (&KeyId, &[SecretEntry])> {
        let old = |past: &'_ Past| past.secrets.len() > 1;
        let keys = self.keys.iter().filter(move |(_, past)| old(past));
        keys.map(|(id, past)| (id, past.secrets.get(1..).unwrap_or_default()))
    }

    /// Returns the number of all old secrets.
    pub(super) const fn all_old(&self) -> usize {
        self.old
    }

    /// Removes the history of a key, and returns its old secrets.
    pub(super) fn forget(&mut self, id: &KeyId) -> Vec<SecretEntry> {
        let secrets = self.keys.remove(id).map(|past| past.secrets);
        let old: Vec<SecretEntry> = secrets.into_iter().flatten().skip(1).collect();
        self.old -= old.len();
        old
    }

    /// Keeps the secrets of a key that has none in the history. The first one is the newest.
    #[cfg(feature = "replica")]
    pub(super) fn keep_secrets(&mut self, id: &KeyId, secrets: &[KeyDigest]) {
        if secrets.len() > 1 {
            let created = Timestamp::default();
            let entries = secrets.iter().map(|digest| SecretEntry::new(*digest, created));
            self.keys.insert(id.clone(), Past { created, secrets: entries.collect() });
            self.old += secrets.len() - 1;
        }
    }

    /// Removes an old secret of a key.
    pub(super) fn drop_old(&mut self, id: &KeyId, secret: &KeyDigest) {
        if let Some(past) = self.keys.get_mut(id) {
            let before = past.secrets.len();
            past.secrets.retain(|old| old.digest != *secret);
            self.old -= before - past.secrets.len();
        }
    }

    /// Adds a line to the trail.
    pub(super) fn note(&mut self, made: Made<'_>, line: Line) {
        self.last += 1;
        if self.trail.len() == TRAIL {
            self.trail.pop_front();
        }
        let Line { action, key, account, differences } = line;
        self.trail.push_back(Change {
            sequence: self.last,
            at: made.at,
            by: made.by.to_owned(),
            action,
            key,
            account,
            reason: made.reason.map(str::to_owned),
            differences,
        });
    }

    /// Returns at most `limit` lines of the trail before the sequence number `before`, the newest first.
    pub(super) fn newest(
        &self,
        filter: &TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Vec<Change> {
        let earlier = |change: &&Change| before.is_none_or(|before| change.sequence < before);
        let chosen = self.trail.iter().rev().filter(earlier).filter(|line| filter.chooses(line));
        chosen.take(limit).cloned().collect()
    }

    /// Returns at most `limit` lines of the trail after the sequence number `after`.
    pub(super) fn changes(&self, after: u64, limit: usize) -> Vec<Change> {
        let later = self.trail.iter().skip_while(|change| change.sequence <= after);
        later.take(limit).cloned().collect()
    }
}

fn ends_after(secret: &SecretEntry, until: Timestamp) -> bool {
    secret.expires.is_none_or(|expires| expires > until)
}
