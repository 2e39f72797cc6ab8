//! The store as a feed.

use std::time::Duration;

use super::super::connect::SqlStore;
use super::super::dialect::Dialect;
use super::super::statement::Statement;
use super::behind::behind;
use super::change_list::ChangeList;
use super::secrets::SecretReader;
use super::trail_position::{TrailPlace, from, is_before_all};
use tower_api_key::key::KeyDigest;
use tower_api_key::store::{
    FeedAnswer, FeedChanges, FeedFuture, FeedPage, FeedPosition, FeedSecret, Invalidations, KeyFeed,
    StoreError,
};

/// The secrets of a page, as the statement says. A page is joined with all keys at once, so larger pages are read
/// faster.
const PAGE: usize = 50_000;

impl KeyFeed for SqlStore {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        Box::pin(async move {
            let newest = self.read(Statement::new(&self.queries.newest_change)).await?;
            match newest.first() {
                Some(row) => Ok(TrailPlace::read_alone(&**row)?.position()),
                None => Ok(self.position_before_all().await?.0),
            }
        })
    }

    fn page(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        Box::pin(async move {
            let after = after.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
            let asked = Statement::new(&self.queries.page_of_secrets).bind(from(position)).bind(after);
            let rows = self.read_within(asked, self.settings.change_timeout).await?;
            let proof = rows.first().filter(|row| row.number("sequence").ok().flatten().is_some());
            let is_same = match proof {
                Some(row) => TrailPlace::read_alone(&**row)?.proves(position),
                None => self.is_before_all(position).await?.is_some(),
            };
            if !is_same {
                return Ok(FeedAnswer::Diverged);
            }
            let mut reader = SecretReader::default();
            let mut secrets: Vec<FeedSecret> =
                rows.iter().filter_map(|row| reader.secret(&**row)).collect();
            // PostgreSQL's joins may change the order.
            secrets.sort_unstable_by_key(|secret| *secret.digest.as_bytes());
            let is_last = secrets.len() < PAGE;
            Ok(FeedAnswer::Same(FeedPage { secrets, is_last }))
        })
    }

    fn changes(&self, since: FeedPosition) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        Box::pin(async move {
            let (poll, changed) = match self.dialect {
                Dialect::Sqlite => (&self.queries.poll_sqlite, &self.queries.changed_sqlite),
                Dialect::Postgres => (&self.queries.poll_postgres, &self.queries.changed_postgres),
            };
            let rows = self.read(Statement::new(poll).bind(from(since))).await?;
            let Some(first) = rows.first() else {
                let same = self.is_before_all(since).await?;
                return Ok(same.map_or(FeedAnswer::Diverged, |behind| no_changes(since, behind)));
            };
            if !TrailPlace::read_alone(&**first)?.proves(since) {
                return Ok(FeedAnswer::Diverged);
            }
            if rows.len() == 1 && !is_before_all(since) {
                return Ok(no_changes(since, behind(&**first)?));
            }
            let changed = Statement::new(changed).bind(from(since));
            let rows = self.read_within(changed, self.settings.change_timeout).await?;
            ChangeList::since(since).read(&rows)
        })
    }

    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        #[cfg(feature = "postgres")]
        {
            self.invalidations().map(|notices| Box::new(notices) as _)
        }
        #[cfg(not(feature = "postgres"))]
        {
            None
        }
    }
}

impl SqlStore {
    /// Returns how old the answer of an empty trail may be; `None` if the position is not the empty trail's.
    async fn is_before_all(&self, since: FeedPosition) -> Result<Option<Duration>, StoreError> {
        if !is_before_all(since) {
            return Ok(None);
        }
        let (position, behind) = self.position_before_all().await?;
        Ok((position == since).then_some(behind))
    }
}

const fn no_changes(position: FeedPosition, behind: Duration) -> FeedAnswer<FeedChanges> {
    FeedAnswer::Same(FeedChanges { changes: Vec::new(), position, more: false, behind })
}
