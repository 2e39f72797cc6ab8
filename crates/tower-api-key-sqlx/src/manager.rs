//! The management of keys. Each change is one transaction.

use std::sync::Arc;

use super::connect::SqlStore;
use super::lists::{KeyList, position};
use super::row;
use super::statement::Statement;
use super::storable::{can_be_stored, row_limit, storable};
use super::table_lock::code;
use super::trail;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest};
use tower_api_key::policy::{KeyPolicy, Policies};
use tower_api_key::store::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, ManageFuture,
    NewKey, Page, StoreError, TrailFilter,
};

/// PostgreSQL's code for a transaction that was ended for another one.
const DEADLOCK: &str = "40P01";

impl KeyManager for SqlStore {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        Box::pin(self.run(command, options))
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move { self.import_keys(&keys, by).await })
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        Box::pin(async move {
            if !can_be_stored(id) {
                return Ok(None);
            }
            let rows = self.read(Statement::new(&self.queries.get).bind(id)).await?;
            let Some((_, entry)) = row::entries(&rows)?.pop() else { return Ok(None) };
            let mut entry = entry?;
            self.retention.hide(&mut entry.secrets, self.clock.now());
            Ok(Some(entry))
        })
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        Box::pin(async move { Ok(self.page(filter, after, limit).await?.found) })
    }

    fn page<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<KeyEntry>> {
        Box::pin(async move {
            let mut page = Page::default();
            let mut after = after.map(str::to_owned);
            let now = self.clock.now();
            // Broken rows do not count, so more rows are read in their place.
            while page.found.len() < limit {
                let more = limit - page.found.len();
                let list = KeyList::new(filter, now);
                let rows = list.rows_after(self, after.as_deref(), more).await?;
                let last = rows.last().map(|last| position(&**last, filter.order)).transpose()?;
                let entries = row::entries(&rows)?;
                let is_last_page = entries.len() < more;
                for (id, entry) in entries {
                    match entry {
                        // A program of an earlier step may have changed a key and left its tags as they were.
                        Ok(entry) if !filter.has_tag(&entry.record) => {}
                        Ok(mut entry) => {
                            self.retention.hide(&mut entry.secrets, now);
                            page.found.push(entry);
                        }
                        Err(error) => {
                            let account = row::account_in(&rows, &id);
                            page.broken.push(row::broken_row(id, account, &error));
                        }
                    }
                }
                if is_last_page {
                    break;
                }
                after = last;
            }
            Ok(page)
        })
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            if !can_be_stored(id) {
                return Ok(None);
            }
            let found = self.read(Statement::new(&self.queries.find_account).bind(id)).await?;
            let account = found.first().map(|found| row::account(&**found)).transpose()?;
            Ok(account.map(Arc::new))
        })
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        Box::pin(async move { Ok(self.page_of_accounts(after, limit).await?.found) })
    }

    fn page_of_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Page<Arc<Account>>> {
        Box::pin(async move {
            let mut page = Page::default();
            let mut after = storable(after.unwrap_or_default()).to_owned();
            while page.found.len() < limit {
                let more = limit - page.found.len();
                let asked = Statement::new(&self.queries.list_accounts)
                    .bind(after.clone())
                    .bind(row_limit(more));
                let rows = self.read(asked).await?;
                let mut last = None;
                for found in &rows {
                    let id = row::text(&**found, "id")?;
                    last = Some(id.clone());
                    match row::account(&**found) {
                        Ok(account) => page.found.push(Arc::new(account)),
                        Err(error) => page.broken.push(row::broken_row(id, None, &error)),
                    }
                }
                match last {
                    Some(last) if rows.len() == more => after = last,
                    _ => break,
                }
            }
            Ok(page)
        })
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        Box::pin(self.all_policies())
    }

    fn page_of_policies(&self) -> ManageFuture<'_, Page<KeyPolicy>> {
        Box::pin(async move { Ok(self.page_of_policies_now().await?) })
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        Box::pin(async move {
            let asked = Statement::new(&self.queries.list_changes)
                .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
                .bind(row_limit(limit));
            let listed = self.read(asked).await?;
            Ok(listed.iter().map(|row| trail::change(&**row)).collect::<Result<_, _>>()?)
        })
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        Box::pin(async move { Ok(self.newest_changes(filter, before, limit).await?) })
    }

    fn note_uses(&self, mut uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        Box::pin(async move {
            // Sorted, so that two transactions do not deadlock.
            uses.sort_unstable_by_key(|(digest, _)| *digest.as_bytes());
            match self.note_sorted_uses(&uses).await {
                // A replacement of peppers may still deadlock with it, and then nothing was noted.
                Err(error) if code(&error) == Some(DEADLOCK) => {
                    Ok(self.note_sorted_uses(&uses).await?)
                }
                noted => Ok(noted?),
            }
        })
    }
}

impl SqlStore {
    async fn note_sorted_uses(&self, uses: &[(KeyDigest, Timestamp)]) -> Result<(), StoreError> {
        let mut session = self.transaction().await?;
        for (digest, at) in uses {
            let noted = Statement::new(&self.queries.note_use)
                .bind(digest.as_bytes().to_vec())
                .bind(row::column(*at));
            session.execute(noted).await?;
        }
        session.commit().await
    }
}
