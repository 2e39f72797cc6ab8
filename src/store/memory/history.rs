//! Data for management only: when keys were added, their old secrets, and the audit trail.

use std::collections::{HashMap, VecDeque};

use super::super::manage::{
    Change, ManageError, Retention, SecretEntry, TrailFilter, check_most_secrets,
};
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
    /// The former digests of secrets and when each was replaced, the oldest first.
    pub(super) rehashed: VecDeque<(Timestamp, KeyId, KeyDigest)>,
}

/// A digest of a key besides its first one, and the end of the secret.
pub(super) type OldDigest = (KeyDigest, Option<Timestamp>);

/// The history of one key.
pub(super) struct Past {
    created: Timestamp,
    /// Newest first. All except the first are old.
    pub(super) secrets: Vec<SecretEntry>,
}

impl Past {
    /// Returns all digests except the first, which is the newest secret's by its newest pepper.
    fn old(&self) -> impl Iterator<Item = OldDigest> {
        self.secrets.iter().flat_map(digests_of).skip(1)
    }
}

impl History {
    /// Begins the history of a key.
    pub(super) fn begin(&mut self, id: &KeyId, secret: SecretEntry) {
        self.keys.insert(id.clone(), Past { created: secret.created, secrets: vec![secret] });
    }

    /// Adds a secret as the newest of a key. The earlier secrets expire at `until`, unless they expire
    /// before. Returns the digests whose expiry changed.
    pub(super) fn rotate(
        &mut self,
        id: &KeyId,
        former: KeyDigest,
        secret: SecretEntry,
        until: Timestamp,
    ) -> Vec<OldDigest> {
        let past = self.past(id, former);
        let mut ending = Vec::new();
        for old in past.secrets.iter_mut().filter(|old| ends_after(old.expires, until)) {
            old.expires = Some(until);
            ending.extend(digests_of(old));
        }
        past.secrets.insert(0, secret);
        self.old += 1;
        ending
    }

    /// Ends the earlier secrets of a key that are still valid. Returns their digests.
    pub(super) fn end_earlier(
        &mut self,
        id: &KeyId,
        newest: KeyDigest,
        now: Timestamp,
    ) -> Vec<OldDigest> {
        let mut ending = Vec::new();
        let earlier = self.past(id, newest).secrets.iter_mut().skip(1);
        for old in earlier.filter(|old| ends_after(old.expires, now)) {
            old.expires = Some(now);
            ending.extend(digests_of(old));
        }
        ending
    }

    /// Returns how many earlier secrets of a key are valid.
    pub(super) fn valid_earlier(&self, id: &str, now: Timestamp) -> usize {
        let secrets = self.keys.get(id).map_or(&[][..], |past| &past.secrets);
        secrets.iter().skip(1).filter(|old| ends_after(old.expires, now)).count()
    }

    /// Returns how many old digests of a key are valid after an instant.
    pub(super) fn serving_after(&self, id: &str, until: Timestamp) -> usize {
        let old = self.keys.get(id).into_iter().flat_map(Past::old);
        old.filter(|(_, expires)| ends_after(*expires, until)).count()
    }

    /// Returns the expired secrets of a key that its next rotation deletes.
    pub(super) fn gone(&self, id: &str, now: Timestamp) -> Vec<KeyDigest> {
        let secrets = self.keys.get(id).map(|past| self.retention.to_delete(&past.secrets, now));
        secrets.unwrap_or_default()
    }

    /// Checks that a key has room for another valid secret. A key without a history has one secret.
    pub(super) fn check_room(
        &self,
        id: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), ManageError> {
        let secrets = self.keys.get(id).map(|past| past.secrets.as_slice());
        check_most_secrets(secrets.unwrap_or_default(), until, now)
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
        let is_used = |other: &&mut SecretEntry| other.digests().any(|digest| digest == *secret);
        if let Some(used) = past.secrets.iter_mut().find(is_used) {
            used.last_used = used.last_used.max(Some(at));
        }
    }

    /// Returns the history of a key. A key without one gets a history with its one secret.
    pub(super) fn past(&mut self, id: &KeyId, newest: KeyDigest) -> &mut Past {
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

    /// Returns the number of old digests of a key.
    pub(super) fn count_old(&self, id: &str) -> usize {
        self.keys.get(id).map_or(0, |past| past.old().count())
    }

    /// Returns the old digests of a key.
    pub(super) fn old(&self, id: &str) -> Vec<OldDigest> {
        self.keys.get(id).into_iter().flat_map(Past::old).collect()
    }

    /// Returns the old digests of all keys.
    pub(super) fn old_of_all(&self) -> impl Iterator<Item = KeyDigest> {
        self.keys.values().flat_map(Past::old).map(|(digest, _)| digest)
    }

    /// Returns the number of all old digests.
    pub(super) const fn all_old(&self) -> usize {
        self.old
    }

    /// Counts a digest that became an old one.
    pub(super) const fn count_former(&mut self) {
        self.old += 1;
    }

    /// Removes the history of a key, and returns its old digests.
    pub(super) fn forget(&mut self, id: &KeyId) -> Vec<KeyDigest> {
        let past = self.keys.remove(id);
        let old: Vec<KeyDigest> =
            past.iter().flat_map(Past::old).map(|(digest, _)| digest).collect();
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

    /// Removes an old digest of a key. If it is that of an old secret, also removes the secret's former ones. Returns
    /// all that were removed.
    pub(super) fn drop_old(&mut self, id: &KeyId, digest: &KeyDigest) -> Vec<KeyDigest> {
        let Some(past) = self.keys.get_mut(id) else { return Vec::new() };
        let before: Vec<KeyDigest> = past.old().map(|(digest, _)| digest).collect();
        past.secrets.retain(|old| old.digest != *digest);
        for secret in &mut past.secrets {
            secret.formers.retain(|former| former.digest != *digest);
        }
        let kept: Vec<KeyDigest> = past.old().map(|(digest, _)| digest).collect();
        self.old -= before.len() - kept.len();
        before.into_iter().filter(|digest| !kept.contains(digest)).collect()
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

fn ends_after(expires: Option<Timestamp>, until: Timestamp) -> bool {
    expires.is_none_or(|expires| expires > until)
}

fn digests_of(secret: &SecretEntry) -> impl Iterator<Item = OldDigest> {
    secret.digests().map(|digest| (digest, secret.expires))
}
