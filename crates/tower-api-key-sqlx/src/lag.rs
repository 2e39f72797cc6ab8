//! Proves how old the data of a standby server may be, and refuses lookups in data that is too old.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::channel::{Channel, Report, Subscription};
use super::connect::SqlStore;
use super::failure::Failure;
use super::freshness::Freshness;
use super::patience::Wish;
use super::row;
use super::statement::Statement;
use tower_api_key::store::StoreError;

/// The shortest and the longest time between two questions, and so the precision.
const OFTEN: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(1);

/// What a standby has replayed; nothing at a primary.
const REPLAYED: &str = "SELECT CASE WHEN pg_is_in_recovery() THEN \
     CAST(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') AS BIGINT) END AS replayed, \
     (SELECT system_identifier FROM pg_control_system()) AS cluster, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::text AS server";

/// What a server has.
struct Replayed {
    /// The instant before the server was asked.
    asked: Instant,
    /// None at a primary.
    place: Option<i64>,
    cluster: Option<i64>,
    /// Names the run of the server.
    server: String,
}

impl SqlStore {
    async fn replayed(&self) -> Result<Replayed, StoreError> {
        let asked = Instant::now();
        let rows = self.read(Statement::from(REPLAYED)).await?;
        let Some(row) = rows.first() else {
            return Err(StoreError::new("the server gave no answer"));
        };
        Ok(Replayed {
            asked,
            place: row::optional_number(&**row, "replayed")?,
            cluster: row::optional_number(&**row, "cluster")?,
            server: row::text(&**row, "server")?,
        })
    }

    /// Asks the server what it has, and returns true if it is a primary.
    async fn renew(&self) -> Result<bool, StoreError> {
        let mut answer = self.replayed().await?;
        let Some(freshness) = &self.freshness else { return Ok(answer.place.is_none()) };
        if !freshness.meet(&answer.server) {
            // The address may have moved to another server, and some connections may lead to the one before.
            self.pool.distrust_all();
            answer = self.replayed().await?;
            if !freshness.meet(&answer.server) {
                self.pool.distrust_all();
                return Ok(answer.place.is_none());
            }
        }
        let proven = match (answer.place, answer.cluster) {
            (None, _) => Some(answer.asked),
            (Some(place), Some(cluster)) => freshness.as_of(place, cluster),
            (Some(_), None) => None,
        };
        if let Some(proven) = proven {
            freshness.prove(proven);
        }
        Ok(answer.place.is_none())
    }

    /// Begins to prove the age of a standby's data, and waits for the first proof, but not for longer than a
    /// lookup may take. At a primary that no lag is limited for, nothing is proven.
    pub(super) async fn watch_lag(&mut self) -> Result<(), StoreError> {
        let max_lag = self.settings.max_lag;
        if self.listen_url.is_none() && max_lag.is_none() {
            return Ok(());
        }
        let is_primary = self.renew().await?;
        if is_primary && max_lag.is_none() {
            return Ok(());
        }
        if !is_primary && self.listen_url.is_none() {
            return Err(StoreError::new(Failure::Setting(
                "`max_lag` at a standby server needs `listen_url`: the URL of its primary server",
            )));
        }
        let freshness = Arc::new(Freshness::new());
        let mut proven = freshness.proven();
        self.freshness = Some(freshness);
        tokio::spawn(self.clone().keep_proving());
        let first = proven.wait_for(Option::is_some);
        let _ = timeout(self.settings.lookup_timeout, first).await;
        Ok(())
    }

    /// Proves the age of the data again and again, until nothing but this task has the store.
    async fn keep_proving(self) {
        let Some(freshness) = self.freshness.clone() else { return };
        let every = self.settings.max_lag.map_or(SELDOM, |lag| (lag / 4).clamp(OFTEN, SELDOM));
        let options = self.listen_url.as_ref().and_then(|_| self.listen_options());
        let mut channel = None;
        // This task has two of the references.
        while Arc::strong_count(&freshness) > 2 {
            let next = Instant::now() + every;
            if let Some(options) = &options {
                self.take_places(&freshness, options, &mut channel, every, next).await;
            }
            // The task goes on without an answer: lookups are refused when the last proof is too old.
            let _ = self.renew().await;
            sleep_until(next).await;
        }
    }

    /// Takes what the primary says until the next place has come, or until the time is over.
    async fn take_places(
        &self,
        freshness: &Freshness,
        options: &PgConnectOptions,
        channel: &mut Option<Subscription>,
        every: Duration,
        end: Instant,
    ) {
        let answer = self.settings.lookup_timeout;
        let wish = Wish { answer, quiet: SELDOM, place_every: Some(every) };
        let open = channel.get_or_insert_with(|| Channel::join(options, wish));
        loop {
            match timeout_at(end, open.next()).await {
                Ok(Report::Place(place)) => return freshness.note(place),
                Ok(Report::Failed(_)) => {
                    *channel = None;
                    return;
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// Refuses a lookup whose data may be too old.
    pub(super) fn check_lag(&self) -> Result<(), StoreError> {
        let (Some(max_lag), Some(freshness)) = (self.settings.max_lag, &self.freshness) else {
            return Ok(());
        };
        match freshness.age() {
            Some(age) if age <= max_lag => Ok(()),
            _ => Err(StoreError::new(Failure::Behind(max_lag))),
        }
    }
}
