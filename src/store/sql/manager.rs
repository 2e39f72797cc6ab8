//! What can be done, each a transaction.

use std::sync::Arc;

use super::super::manage::{
    Change, Edit, KeyEntry, KeyFilter, KeyManager, KeyState, Managed, NewKey,
};
use super::bulk::CHUNK;
use super::connect::SqlStore;
use super::failure::within;
use super::trail;
use super::{query, row};
use crate::clock::Timestamp;
use crate::key::{Account, KeyDigest};

impl KeyManager for SqlStore {
    fn add<'a>(&'a self, key: NewKey, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.add(&key).await?;
            if key.revokes_others {
                step.revoke_others(&key.record).await?;
            }
            step.commit().await
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> Managed<'a, u64> {
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

    fn get<'a>(&'a self, id: &'a str) -> Managed<'a, Option<KeyEntry>> {
        Box::pin(async move {
            let read = || sqlx::query(query::GET).bind(id.to_owned()).fetch_all(&self.pool);
            Ok(row::entries(&self.read(read).await?)?.pop())
        })
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Vec<KeyEntry>> {
        Box::pin(async move {
            // No name is empty: to the statement an empty one means all, and to a caller it means none.
            let names = [&filter.account, &filter.owner, &filter.kind, &filter.environment];
            if names.into_iter().flatten().any(String::is_empty) {
                return Ok(Vec::new());
            }
            let wanted = |name: &Option<String>| name.clone().unwrap_or_default();
            let (now, state) = (self.clock.now(), filter.state.map_or("", KeyState::name));
            let read = || {
                sqlx::query(query::LIST)
                    .bind(after.unwrap_or_default().to_owned())
                    .bind(wanted(&filter.account))
                    .bind(wanted(&filter.owner))
                    .bind(wanted(&filter.kind))
                    .bind(wanted(&filter.environment))
                    .bind(state)
                    .bind(row::column(now))
                    .bind(row_limit(limit))
                    .fetch_all(&self.pool)
            };
            Ok(row::entries(&self.read(read).await?)?)
        })
    }

    fn update<'a>(&'a self, id: &'a str, change: Edit, by: &'a str) -> Managed<'a, KeyEntry> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
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
    ) -> Managed<'a, KeyEntry> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            let entry = step.rotate(id, secret, until).await?;
            step.commit().await?;
            Ok(entry)
        })
    }

    fn revoke<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.revoke(id).await?;
            step.commit().await
        })
    }

    fn delete<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.delete(id).await?;
            step.commit().await
        })
    }

    fn save_account<'a>(&'a self, account: Account, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.save_account(&account).await?;
            step.commit().await
        })
    }

    fn find_account<'a>(&'a self, id: &'a str) -> Managed<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            let read =
                || sqlx::query(query::FIND_ACCOUNT).bind(id.to_owned()).fetch_optional(&self.pool);
            let found = self.read(read).await?;
            Ok(found.map(|found| row::account(&found)).transpose()?.map(Arc::new))
        })
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> Managed<'a, Vec<Arc<Account>>> {
        Box::pin(async move {
            let read = || {
                sqlx::query(query::LIST_ACCOUNTS)
                    .bind(after.unwrap_or_default().to_owned())
                    .bind(row_limit(limit))
                    .fetch_all(&self.pool)
            };
            let listed = self.read(read).await?;
            let accounts = listed.iter().map(|found| row::account(found).map(Arc::new));
            Ok(accounts.collect::<Result<_, _>>()?)
        })
    }

    fn delete_account<'a>(&'a self, id: &'a str, by: &'a str) -> Managed<'a, ()> {
        Box::pin(async move {
            let mut step = self.begin(by).await?;
            step.delete_account(id).await?;
            step.commit().await
        })
    }

    fn changes(&self, sequence: u64, limit: usize) -> Managed<'_, Vec<Change>> {
        Box::pin(async move {
            let read = || {
                sqlx::query(query::LIST_CHANGES)
                    .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
                    .bind(row_limit(limit))
                    .fetch_all(&self.pool)
            };
            let listed = self.read(read).await?;
            Ok(listed.iter().map(trail::change).collect::<Result<_, _>>()?)
        })
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> Managed<'_, ()> {
        Box::pin(async move {
            let noted = async {
                let mut transaction = self.pool.begin().await?;
                for (digest, at) in uses {
                    sqlx::query(query::NOTE_USE)
                        .bind(digest.as_bytes().to_vec())
                        .bind(row::column(at))
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await
            };
            Ok(within(trail::TIMEOUT, noted).await?)
        })
    }
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
