//! Managing keys, with one planted fault.

use std::collections::HashSet;
use std::sync::Arc;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest, KeyId};
use tower_api_key::policy::Policies;
use tower_api_key::store::{
    Action, Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, ManageError,
    ManageFuture, NewKey, StoreError, TrailFilter,
};

use super::Faulty;
use crate::faults::Fault;

impl<S: KeyManager> KeyManager for Faulty<S> {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        self.run(command, options)
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        let by = self.author(Action::KeyAdded, by);
        Box::pin(async move {
            let mut seen = HashSet::new();
            let mut given = keys.clone();
            if self.fault == Fault::ImportsCountSkippedSecrets {
                given.retain(|key| seen.insert(key.digest));
            }
            let added = match self.inner.import(given, by).await {
                Err(ManageError::PolicyViolated(_)) if self.has(Fault::ImportsAgainstAPolicy) => 0,
                added => added?,
            };
            for key in keys {
                let account = key.record.account().id().as_str();
                match self.fault {
                    Fault::ImportsTakeASecret => {
                        self.memory().ghosts.insert(key.digest, key.record.into());
                    }
                    Fault::ImportsOverwrite => self.replace(key.digest, key.record).await,
                    Fault::ImportsRevoke if key.revokes_others => {
                        let id = key.record.id().as_str();
                        self.revoke_all(KeyFilter::account(account), id).await;
                    }
                    _ => {}
                }
            }
            Ok(added)
        })
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        Box::pin(async move {
            if self.has(Fault::AnUnknownIdIsAFailure) && id.contains('\0') {
                return Err(StoreError::new("a text has a NUL").into());
            }
            let mut entry = self.inner.get(id).await?;
            for secret in entry.iter_mut().flat_map(|entry| &mut entry.secrets) {
                let noted = self.memory().uses.get(&secret.digest).copied();
                secret.last_used = noted.or(secret.last_used);
            }
            if let (Some(entry), Some(at)) = (&mut entry, self.memory().updated.get(id)) {
                entry.created = *at;
            }
            Ok(entry)
        })
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        Box::pin(self.page(filter.clone(), after, limit))
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        self.inner.find_account(id)
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        let limit = if self.has(Fault::PagesOfAccountsHaveNoEnd) { usize::MAX } else { limit };
        let skipped = usize::from(self.has(Fault::PagesSkipAnAccount) && after.is_some());
        Box::pin(async move {
            let page = self.inner.list_accounts(after, limit.saturating_add(skipped)).await?;
            Ok(page.into_iter().skip(skipped).collect())
        })
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        self.policies_faultily()
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        Box::pin(async move {
            let mut lines = self.inner.changes(0, usize::MAX).await?;
            for at in self.memory().failures.iter().rev() {
                let failed = Change { action: Action::KeyUpdated, ..lines[*at - 1].clone() };
                lines.insert(*at, failed);
            }
            for (line, number) in lines.iter_mut().zip(1..) {
                line.sequence = number;
            }
            let told = |line: &Change| self.fault != Fault::NoLineFor(line.action);
            lines.retain(|line| line.sequence > sequence && told(line));
            lines.truncate(if self.has(Fault::TrailHasNoEnd) { usize::MAX } else { limit });
            Ok(lines)
        })
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        let filter = if self.has(Fault::IgnoresTheTrailsFilter) {
            TrailFilter::default()
        } else {
            filter.clone()
        };
        Box::pin(async move {
            let before = if self.has(Fault::PagesOfTheTrailRepeatALine) {
                before.map(|before| before + 1)
            } else {
                before
            };
            self.inner.trail(&filter, before, limit).await
        })
    }

    fn id_of<'a>(&'a self, digest: &'a KeyDigest) -> ManageFuture<'a, Option<KeyId>> {
        Box::pin(async move {
            if self.has(Fault::AskingIsAUse) {
                self.inner.note_uses(vec![(*digest, Timestamp::from_unix_seconds(1))]).await?;
            }
            let Some(id) = self.inner.id_of(digest).await? else { return Ok(None) };
            let newest = self.inner.get(id.as_str()).await?.map(|entry| entry.secrets[0].digest);
            let is_known = !self.has(Fault::KnowsNewestSecretsOnly) || newest == Some(*digest);
            Ok(is_known.then_some(id))
        })
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        Box::pin(async move {
            for (digest, at) in &uses {
                if self.has(Fault::NotesAnEarlierUse) {
                    self.memory().uses.insert(*digest, *at);
                }
                let used = |entry: &&KeyEntry| entry.secrets[0].digest == *digest;
                let deleted = self.memory().deleted.values().find(used).cloned();
                if let (Fault::NotesOfUseResurrect, Some(entry)) = (self.fault, deleted) {
                    self.replace(*digest, entry.record).await;
                }
            }
            self.inner.note_uses(uses).await
        })
    }
}
