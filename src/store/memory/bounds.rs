//! What may refuse a command on keys in memory: the bound on the keys of an owner, and the policies.

use std::collections::{HashMap, HashSet};

use super::super::manage::{Command, CommandOptions, ManageError, NewKey, apply_update};
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::{AccountId, KeyRecord};
use crate::policy::{Policies, PolicySubject, PolicyViolation};

impl Writer<'_> {
    /// Refuses a command that breaks a bound. Returns the command, with its update made.
    pub(super) fn check<'a>(
        &self,
        command: Command<'a>,
        options: &CommandOptions<'_>,
        now: Timestamp,
    ) -> Result<Command<'a>, ManageError> {
        if options.most_keys().is_none() && self.index.policies.is_empty() {
            return Ok(command);
        }
        match command {
            Command::Add(new) => {
                self.check_owner(&new.record, options, now)?;
                self.check_added(&new, now)?;
                Ok(Command::Add(new))
            }
            Command::Update { id, change } => {
                let Some(before) = self.find(id) else { return Err(ManageError::NotFound) };
                let before = &before.record;
                // The stored state of the account applies, not the one in the changed record.
                let after = apply_update(before, change)?.under(before.account().clone());
                self.check_owner(&after, options, now)?;
                let newest = self.newest_secret(id);
                self.index.policies.check_change(before, &after, newest, now)?;
                for (subject, most) in self.index.policies.most_keys(Some(before), &after, now) {
                    let count = self.count_covered(subject, &after, &HashSet::new(), now);
                    check_number(subject, count, most)?;
                }
                Ok(Command::Update { id, change: Box::new(move |_| after.edit()) })
            }
            other => Ok(other),
        }
    }

    /// Checks all keys of an import that the store does not have yet.
    pub(super) fn check_import(&self, keys: &[NewKey], now: Timestamp) -> Result<(), ManageError> {
        if self.index.policies.is_empty() {
            return Ok(());
        }
        let mut counts: HashMap<(&PolicySubject, &AccountId), u32> = HashMap::new();
        let (mut ids, mut digests) = (HashSet::new(), HashSet::new());
        for key in keys {
            let (record, id) = (&key.record, key.record.id().as_str());
            let is_stored = self.find(id).is_some() || self.table.locate(&key.digest).is_some();
            // Exactly the keys that the import adds: a key whose id or secret came before is left out, and its own id
            // and secret are still free.
            if is_stored || ids.contains(id) || digests.contains(&key.digest) {
                continue;
            }
            ids.insert(id);
            digests.insert(key.digest);
            self.index.policies.check_new(record, now)?;
            for (subject, most) in self.index.policies.most_keys(None, record, now) {
                let none = HashSet::new();
                let count = counts
                    .entry((subject, record.account().id()))
                    .or_insert_with(|| self.count_covered(subject, record, &none, now));
                check_number(subject, *count, most)?;
                *count += 1;
            }
        }
        Ok(())
    }

    /// Returns when the earlier secrets of a key end that is rotated now.
    pub(super) fn end_of_earlier(&self, id: &str, until: Timestamp, now: Timestamp) -> Timestamp {
        let policies = &self.index.policies;
        let Some(entry) = self.find(id).filter(|_| !policies.is_empty()) else { return until };
        policies.end_of_earlier(&entry.record, self.newest_secret(id), until, now)
    }

    /// Returns when the newest secret of a key was made.
    fn newest_secret(&self, id: &str) -> Timestamp {
        let newest = self.entry(id).and_then(|entry| Some(entry.secrets.first()?.created));
        newest.unwrap_or_default()
    }

    fn check_added(&self, new: &NewKey, now: Timestamp) -> Result<(), ManageError> {
        let record = &new.record;
        self.index.policies.check_new(record, now)?;
        let revoked = if new.revokes_others { self.others_of_owner(record) } else { Vec::new() };
        let revoked = revoked.iter().map(String::as_str).collect();
        for (subject, most) in self.index.policies.most_keys(None, record, now) {
            let count = self.count_covered(subject, record, &revoked, now);
            check_number(subject, count, most)?;
        }
        Ok(())
    }

    /// Counts the other keys of a key's account that a subject covers, without those that are about to be revoked.
    fn count_covered(
        &self,
        subject: &PolicySubject,
        record: &KeyRecord,
        revoked: &HashSet<&str>,
        now: Timestamp,
    ) -> u32 {
        self.count_others(record, |other| {
            subject.covers(other)
                && Policies::counts(other, now)
                && !revoked.contains(other.id().as_str())
        })
    }

    /// Refuses a key whose owner has as many other keys as the command allows.
    fn check_owner(
        &self,
        record: &KeyRecord,
        options: &CommandOptions<'_>,
        now: Timestamp,
    ) -> Result<(), ManageError> {
        let Some(most) = options.most_keys() else { return Ok(()) };
        let count = self.count_others(record, |other| {
            other.owner() == record.owner() && Policies::counts(other, now)
        });
        if count < most { Ok(()) } else { Err(ManageError::TooManyKeys(most)) }
    }

    fn count_others(&self, record: &KeyRecord, counts: impl Fn(&KeyRecord) -> bool) -> u32 {
        let keys = self.index.accounts.keys_of(record.account().id().as_str()).iter();
        let records = keys.filter_map(|at| self.table.entry(*at)).map(|entry| &entry.record);
        let others = records.filter(|other| other.id() != record.id() && counts(other));
        // A number over `u32::MAX` is too many, too.
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    }
}

fn check_number(subject: &PolicySubject, others: u32, most: u32) -> Result<(), PolicyViolation> {
    if others < most {
        return Ok(());
    }
    Err(PolicyViolation::TooManyKeys { subject: subject.clone(), most })
}
