//! The lookup of a gate.

use tokio::time::{Instant, timeout_at};

use super::connect::SqlStore;
use super::deadline::after;
use super::dialect::Dialect;
use super::driver::{Connection, Row};
use super::group_queries::MOST;
use super::lookup_queue::{Found, Lead, LookupQueue, Place, Turn};
use super::row;
use super::statement::Statement;
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

impl KeyStore for SqlStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.clone(), *digest);
        Reply::later(async move {
            #[cfg(feature = "postgres")]
            store.check_lag()?;
            let end = after(store.settings.lookup_timeout);
            match store.dialect {
                // The file is on this machine, so that a statement costs no round trip.
                Dialect::Sqlite => store.find_alone(digest, end).await,
                Dialect::Postgres => store.find_with_others(digest, end).await,
            }
        })
    }
}

impl SqlStore {
    async fn find_alone(&self, digest: KeyDigest, end: Instant) -> Found {
        let connection = self.acquire(self.settings.lookup_timeout, end).await?;
        self.find_on(connection, digest, end).await
    }

    async fn find_on(
        &self,
        connection: Box<dyn Connection>,
        digest: KeyDigest,
        end: Instant,
    ) -> Found {
        let asked = Statement::new(&self.queries.find).bind(digest.as_bytes().to_vec());
        let found = self.read_on(connection, asked, self.settings.lookup_timeout, end).await?;
        found.first().map(|row| record(row)).transpose()
    }

    /// Looks up a key. If no connection is free, the lookup may go along with others.
    async fn find_with_others(&self, digest: KeyDigest, end: Instant) -> Found {
        let turn = match LookupQueue::join(&self.lookups, digest) {
            Place::Leads(lead) => return self.find_leading(lead, digest, end).await,
            Place::Waits(turn) => turn,
        };
        match timeout_at(end, turn).await {
            Ok(Ok(Turn::Found(found))) => found,
            Ok(Ok(Turn::Lead(lead))) => self.find_leading(lead, digest, end).await,
            // Its leader failed. What it failed of may concern another key.
            Ok(Err(_)) => self.find_alone(digest, end).await,
            Err(_) => Err(self.no_answer(self.settings.lookup_timeout)),
        }
    }

    /// Waits for a connection, and takes along the lookups that wait, too.
    async fn find_leading(&self, lead: Lead, digest: KeyDigest, end: Instant) -> Found {
        let limit = self.settings.lookup_timeout;
        let connection = self.acquire(limit, end).await?;
        let others = lead.take_along(MOST - 1);
        if others.is_empty() {
            return self.find_on(connection, digest, end).await;
        }
        let digests: Vec<_> = others.iter().map(|other| other.digest).chain([digest]).collect();
        let asked = self.groups.statement(&digests);
        let rows = self.read_on(connection, asked, limit, end).await?;
        let mut found: Vec<Found> = (0..=others.len()).map(|_| Ok(None)).collect();
        for row in &rows {
            let place = usize::try_from(row::number(&**row, "place")?).ok();
            if let Some(found) = place.and_then(|place| found.get_mut(place)) {
                *found = record(row).map(Some);
            }
        }
        let own = found.pop().unwrap_or(Ok(None));
        for (other, found) in others.into_iter().zip(found) {
            other.answer(found);
        }
        own
    }
}

fn record(row: &Row) -> Result<SharedRecord, StoreError> {
    row::record(&**row, true).map(Into::into)
}
