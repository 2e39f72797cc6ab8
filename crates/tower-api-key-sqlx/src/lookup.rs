//! The lookup of a gate.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::connect::SqlStore;
use super::deadline::after;
use super::dialect::Dialect;
use super::driver::{Connection, Row};
use super::group_queries::MOST;
use super::lookup_queue::{Lead, LookupQueue, LookupResult, Place, Turn, Waiting};
use super::row;
use super::statement::Statement;
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

/// How long a lookup waits for another one before it tries to get a connection by itself, too: the other one may wait for
/// a new connection, while old ones become free.
const PATIENCE: Duration = Duration::from_millis(100);

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
    async fn find_alone(&self, digest: KeyDigest, end: Instant) -> LookupResult {
        let connection = self.acquire(self.settings.lookup_timeout, end).await?;
        self.find_on(connection, digest, end).await
    }

    async fn find_on(
        &self,
        connection: Box<dyn Connection>,
        digest: KeyDigest,
        end: Instant,
    ) -> LookupResult {
        let asked = Statement::new(&self.queries.find).bind(digest.as_bytes().to_vec());
        let found = self.read_on(connection, asked, self.settings.lookup_timeout, end).await?;
        found.first().map(record).transpose()
    }

    /// Looks up a key. If no connection is free, the lookup may go along with others.
    async fn find_with_others(&self, digest: KeyDigest, end: Instant) -> LookupResult {
        let limit = self.settings.lookup_timeout;
        if self.pool.has_room() {
            let connection = self.acquire(limit, end).await?;
            let others = self.lookups.take_along(MOST - 1);
            return self.find_group(connection, digest, others, end).await;
        }
        let (number, mut turn) = match LookupQueue::join(&self.lookups, digest) {
            Place::Leads(lead) => return self.find_leading(lead, digest, end).await,
            Place::Waits(number, turn) => (number, turn),
        };
        let own = async {
            sleep(PATIENCE).await;
            self.acquire(limit, end).await
        };
        let comes = tokio::select! {
            biased;
            comes = &mut turn => comes,
            own = own => {
                if self.lookups.leave(number) {
                    let connection = own?;
                    let others = self.lookups.take_along(MOST - 1);
                    return self.find_group(connection, digest, others, end).await;
                }
                // Another lookup has taken it along, and needs no second connection.
                drop(own);
                match timeout_at(end, turn).await {
                    Ok(comes) => comes,
                    Err(_) => return Err(self.no_answer(limit)),
                }
            }
        };
        match comes {
            Ok(Turn::Found(found)) => found,
            Ok(Turn::Lead(lead)) => self.find_leading(lead, digest, end).await,
            // The other lookup failed. What it failed of may concern another key.
            Err(_) => self.find_alone(digest, end).await,
        }
    }

    /// Waits for a connection, and takes along the lookups that wait, too.
    async fn find_leading(&self, lead: Lead, digest: KeyDigest, end: Instant) -> LookupResult {
        let connection = self.acquire(self.settings.lookup_timeout, end).await?;
        let others = lead.take_along(MOST - 1);
        self.find_group(connection, digest, others, end).await
    }

    /// Looks up a key and those of others.
    async fn find_group(
        &self,
        connection: Box<dyn Connection>,
        digest: KeyDigest,
        others: Vec<Waiting>,
        end: Instant,
    ) -> LookupResult {
        let limit = self.settings.lookup_timeout;
        if others.is_empty() {
            return self.find_on(connection, digest, end).await;
        }
        let digests: Vec<_> = others.iter().map(|other| other.digest).chain([digest]).collect();
        let asked = self.groups.statement(&digests);
        let rows = self.read_on(connection, asked, limit, end).await?;
        let mut found: Vec<LookupResult> = (0..=others.len()).map(|_| Ok(None)).collect();
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
