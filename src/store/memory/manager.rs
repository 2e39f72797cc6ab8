//! Management of the keys in memory. Every change is made before the method returns its future.

use std::future::ready;
use std::sync::Arc;

use super::super::manage::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, ManageError,
    ManageFuture, NewKey, TrailFilter,
};
use super::store::MemoryStore;
use crate::clock::Timestamp;
use crate::key::{Account, AccountId, KeyDigest};
use crate::policy::Policies;

pub(super) fn now<'a, T: Send + 'a>(answer: Result<T, ManageError>) -> ManageFuture<'a, T> {
    Box::pin(ready(answer))
}

impl KeyManager for MemoryStore {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        now(self.apply_now(command, &options))
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        now(self.import_now(keys, &CommandOptions::by(by)))
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        now(Ok(self.writer().shown(id, self.0.clock.now())))
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        let (writer, at) = (self.writer(), self.0.clock.now());
        let after = match after.map(|after| filter.order.position(after)) {
            Some(None) => return now(Err(ManageError::WrongPosition)),
            after => after.flatten(),
        };
        let mut places: Vec<_> = writer
            .index
            .all()
            .filter_map(|location| writer.table.entry(location))
            .filter(|entry| filter.chooses(&entry.record, at))
            .filter(|entry| {
                let secrets =
                    || writer.index.history.of(entry.record.id().as_str(), entry.digest).1;
                filter.tail.is_none() || filter.has_tail(&secrets())
            })
            .map(|entry| (filter.order.place(&entry.record), entry.record.id().as_str()))
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        places.sort_unstable();
        let page = places.into_iter().take(limit);
        now(Ok(page.filter_map(|(_, id)| writer.shown(id, at)).collect()))
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        now(Ok(self.find_account_now(id)))
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        let writer = self.writer();
        let later = |id: &&AccountId| after.is_none_or(|after| id.as_str() > after);
        let mut ids: Vec<&AccountId> = writer.index.accounts.ids().filter(later).collect();
        ids.sort_unstable();
        let accounts = ids.into_iter().take(limit).filter_map(|id| {
            writer.index.accounts.get(id.as_str()).map(|members| Arc::clone(&members.account))
        });
        now(Ok(accounts.collect()))
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        now(Ok(self.writer().index.policies.clone()))
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        now(Ok(self.writer().index.history.changes(sequence, limit)))
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        now(Ok(self.writer().index.history.newest(filter, before, limit)))
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        let mut writer = self.writer();
        for (digest, at) in uses {
            writer.note_use(&digest, at);
        }
        now(Ok(()))
    }
}
