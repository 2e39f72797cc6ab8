//! The store as a feed.

use std::time::Duration;

use super::super::connect::SqlStore;
use super::super::dialect::Dialect;
use super::super::driver::Row;
use super::super::statement::Statement;
use super::behind::ProvenAge;
use super::change_list::ChangeList;
use super::page::PageRead;
use super::trail_position::{TrailPlace, from, is_before_all, is_seen};
use tower_api_key::key::{AccountId, KeyDigest};
use tower_api_key::store::{
    FeedAnswer, FeedChanges, FeedFuture, FeedPage, FeedPosition, Invalidations, KeyFeed, StoreError,
};

impl KeyFeed for SqlStore {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        Box::pin(async move {
            if let Some(newest) = self.newest().await? {
                return Ok(newest);
            }
            let before_all = self.position_before_all(self.proven_age()).await?.0;
            // The first change may have been made meanwhile.
            Ok(self.newest().await?.unwrap_or(before_all))
        })
    }

    fn keys_after(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        let after = bytes(after);
        Box::pin(self.proven_page(position, move || self.read_page(position, after.clone())))
    }

    fn keys_of_account(
        &self,
        account: AccountId,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        let after = bytes(after);
        let read = move || self.read_page_of_account(account.clone(), position, after.clone());
        Box::pin(self.proven_page(position, read))
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        Box::pin(async move {
            let (poll, changed) = match self.dialect {
                Dialect::Sqlite => (&self.queries.poll_sqlite, &self.queries.changed_sqlite),
                Dialect::Postgres => (&self.queries.poll_postgres, &self.queries.changed_postgres),
            };
            let age = self.proven_age();
            let poll = Statement::new(poll).bind(from(since)).bind(from(seen));
            let mut rows = self.read(poll.clone()).await?;
            if rows.is_empty() {
                if !is_before_all(seen) {
                    return Ok(FeedAnswer::Diverged);
                }
                if let Some(behind) = self.is_before_all(since, age).await? {
                    return Ok(no_changes(since, seen, behind));
                }
                // The first change may have been made meanwhile.
                rows = self.read(poll).await?;
            }
            let Some(first) = rows.first() else { return Ok(FeedAnswer::Diverged) };
            if !TrailPlace::read_alone(&**first)?.proves(since) || !is_seen(&**first, seen)? {
                return Ok(FeedAnswer::Diverged);
            }
            if rows.len() == 1 && !is_before_all(since) {
                return Ok(no_changes(since, since, age.of(&**first)?));
            }
            let changed = Statement::new(changed).bind(from(since)).bind(from(seen));
            let rows = self.read_slowly(changed).await?;
            ChangeList::new(since, seen).read(&rows, age)
        })
    }

    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        #[cfg(feature = "postgres")]
        {
            self.invalidations().map(|notices| Box::new(notices.without_proofs()) as _)
        }
        #[cfg(not(feature = "postgres"))]
        {
            None
        }
    }
}

impl SqlStore {
    /// Reads a page, and checks that the position belongs to the history.
    async fn proven_page<R: Future<Output = Result<PageRead, StoreError>>>(
        &self,
        position: FeedPosition,
        page: impl Fn() -> R,
    ) -> Result<FeedAnswer<FeedPage>, StoreError> {
        let mut read = page().await?;
        if read.place.is_none() {
            if self.is_before_all(position, self.proven_age()).await?.is_some() {
                return Ok(FeedAnswer::Same(read.into_page(position)));
            }
            // The first change may have been made meanwhile.
            read = page().await?;
        }
        let Some((first, latest)) = read.place else { return Ok(FeedAnswer::Diverged) };
        if !first.proves(position) {
            return Ok(FeedAnswer::Diverged);
        }
        Ok(FeedAnswer::Same(read.into_page(latest.position())))
    }

    /// Reads changes within the timeout of a change. PostgreSQL's own timeout of a lookup would end the
    /// statement, so it gets a transaction with a longer one.
    pub(crate) async fn read_slowly(&self, asked: Statement) -> Result<Vec<Row>, StoreError> {
        if self.dialect == Dialect::Sqlite {
            return self.read_within(asked, self.settings.change_timeout).await;
        }
        let mut session = self.transaction().await?;
        let rows = session.fetch(asked).await?;
        session.commit().await?;
        Ok(rows)
    }

    /// Returns the position of the newest change; `None` if the trail is empty.
    async fn newest(&self) -> Result<Option<FeedPosition>, StoreError> {
        let rows = self.read(Statement::new(&self.queries.newest_change)).await?;
        let newest = rows.first().map(|row| TrailPlace::latest(&**row)).transpose()?;
        Ok(newest.map(TrailPlace::position))
    }

    /// Returns how old the answer of an empty trail may be; `None` if the position is not the empty trail's.
    async fn is_before_all(
        &self,
        since: FeedPosition,
        age: ProvenAge,
    ) -> Result<Option<Duration>, StoreError> {
        if !is_before_all(since) {
            return Ok(None);
        }
        let (position, behind) = self.position_before_all(age).await?;
        Ok((position == since).then_some(behind))
    }
}

/// Returns the bytes behind which a page begins.
fn bytes(after: Option<KeyDigest>) -> Vec<u8> {
    after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec())
}

const fn no_changes(
    position: FeedPosition,
    latest: FeedPosition,
    behind: Duration,
) -> FeedAnswer<FeedChanges> {
    FeedAnswer::Same(FeedChanges { changes: Vec::new(), position, latest, more: false, behind })
}
