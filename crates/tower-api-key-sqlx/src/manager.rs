//! The management of keys. Each change is one transaction.

use std::sync::Arc;

use super::bulk::CHUNK;
use super::connect::SqlStore;
use super::row;
use super::statement::Statement;
use super::trail::{self, Step};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest};
use tower_api_key::store::{
    Change, KeyEntry, KeyFilter, KeyManager, KeyState, KeyUpdate, ManageError, ManageFuture,
    NewKey, Page, PepperManager, check_author,
};

impl KeyManager for SqlStore {
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.add(&key).await?;
            if key.revokes_others {
                step.revoke_others(&key.record).await?;
            }
            step.commit().await
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            let mut added = 0;
            for chunk in keys.chunks(CHUNK) {
                added += step.import(chunk).await?;
            }
            step.commit().await?;
            Ok(added)
        })
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
            // No name is empty. An empty filter would match every row in the statement, but must match none.
            let names = [&filter.account, &filter.owner, &filter.kind, &filter.environment];
            let mut names = names.into_iter().flatten();
            if names.any(|name| name.is_empty() || !can_be_stored(name)) {
                return Ok(page);
            }
            let wanted = |name: &Option<String>| name.clone().unwrap_or_default();
            let (now, state) = (self.clock.now(), filter.state.map_or("", KeyState::name));
            let mut after = storable(after.unwrap_or_default()).to_owned();
            // Broken rows do not count, so more rows are read in their place.
            while page.found.len() < limit {
                let more = limit - page.found.len();
                let asked = Statement::new(&self.queries.list)
                    .bind(after.clone())
                    .bind(wanted(&filter.account))
                    .bind(wanted(&filter.owner))
                    .bind(wanted(&filter.kind))
                    .bind(wanted(&filter.environment))
                    .bind(state)
                    .bind(row::column(now))
                    .bind(row_limit(more));
                let entries = row::entries(&self.read(asked).await?)?;
                let (count, last) = (entries.len(), entries.last().map(|(id, _)| id.clone()));
                for (id, entry) in entries {
                    match entry {
                        Ok(mut entry) => {
                            self.retention.hide(&mut entry.secrets, now);
                            page.found.push(entry);
                        }
                        Err(error) => page.broken.push(row::broken_row(id, &error)),
                    }
                }
                match last {
                    Some(last) if count == more => after = last,
                    _ => break,
                }
            }
            Ok(page)
        })
    }

    fn update<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        Box::pin(async move {
            let mut step = self.begin_on(id, by).await?;
            let entry = step.update(id, change).await?;
            step.commit().await?;
            Ok(entry)
        })
    }

    fn rotate<'a>(
        &'a self,
        id: &'a str,
        secret: KeyDigest,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        self.rotate_to(id, secret.into(), until, by)
    }

    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin_on(id, by).await?;
            step.revoke(id).await?;
            step.commit().await
        })
    }

    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin_on(id, by).await?;
            step.delete(id).await?;
            step.commit().await
        })
    }

    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.save_account(&account).await?;
            step.commit().await
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
                        Err(error) => page.broken.push(row::broken_row(id, &error)),
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

    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin_on(id, by).await?;
            step.delete_account(id).await?;
            step.commit().await
        })
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

    fn note_uses(&self, mut uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        Box::pin(async move {
            // Sorted, so that two transactions do not deadlock.
            uses.sort_unstable_by_key(|(digest, _)| *digest.as_bytes());
            let mut session = self.transaction().await?;
            for (digest, at) in uses {
                let noted = Statement::new(&self.queries.note_use)
                    .bind(digest.as_bytes().to_vec())
                    .bind(row::column(at));
                session.execute(noted).await?;
            }
            Ok(session.commit().await?)
        })
    }
}

impl SqlStore {
    /// Begins a change of the key or account with this id.
    pub(super) async fn begin_on<'a>(
        &'a self,
        id: &str,
        by: &'a str,
    ) -> Result<Step<'a>, ManageError> {
        if !can_be_stored(id) {
            check_author(by)?;
            return Err(ManageError::NotFound);
        }
        self.begin(by).await
    }
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Returns false for a name with a NUL. PostgreSQL stores no NUL, so no key or account has such a name.
fn can_be_stored(name: &str) -> bool {
    !name.contains('\0')
}

/// Cuts an id at its first NUL. The ids that sort after it stay the same.
fn storable(id: &str) -> &str {
    id.split('\0').next().unwrap_or_default()
}
