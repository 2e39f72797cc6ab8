//! The present state of what a command changes.

use std::sync::Arc;

use super::super::manage::{Applied, CommandTarget, KeyEntry, Version};
use super::page::Entry;
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::Account;

impl Writer<'_> {
    pub(super) fn version(&self, target: &CommandTarget) -> Option<Version> {
        match target {
            CommandTarget::Key(id) => self.entry(id).as_ref().map(Version::of_key),
            CommandTarget::Account(id) => self.account(id).as_deref().map(Version::of_account),
            CommandTarget::Policy(subject) => {
                self.index.policies.find(subject).map(Version::of_policy)
            }
        }
    }

    pub(super) fn present(&self, target: &CommandTarget, at: Timestamp) -> Applied {
        match target {
            CommandTarget::Key(id) => Applied::key(self.shown(id, at)),
            CommandTarget::Account(id) => Applied::account(self.account(id)),
            CommandTarget::Policy(subject) => {
                Applied::policy(self.index.policies.find(subject).cloned())
            }
        }
    }

    pub(super) fn account(&self, id: &str) -> Option<Arc<Account>> {
        self.index.accounts.get(id).map(|members| Arc::clone(&members.account))
    }

    pub(super) fn entry(&self, id: &str) -> Option<KeyEntry> {
        let Entry { digest, record } = self.find(id)?.clone();
        let (created, secrets) = self.index.history.of(id, digest);
        Some(KeyEntry::new(record, created, secrets))
    }

    /// Returns a key without the secrets that expired longer ago than the retention.
    pub(super) fn shown(&self, id: &str, at: Timestamp) -> Option<KeyEntry> {
        let mut entry = self.entry(id)?;
        self.index.history.retention.hide(&mut entry.secrets, at);
        Some(entry)
    }
}
