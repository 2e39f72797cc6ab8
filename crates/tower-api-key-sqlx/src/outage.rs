//! Finds out why no connection can be had.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::driver::Pool;
use super::failure::{Failure, unreachable};
use tower_api_key::store::StoreError;

/// How long a finding is reused.
const COUNTS_FOR: Duration = Duration::from_secs(1);

/// The last finding. A pool reports only that no connection came in time. So one waiting task at a time opens
/// a connection outside of the pool and keeps the result.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    at: Instant,
    connected: Result<(), sqlx::Error>,
}

impl Outage {
    /// Returns why no connection came, found out before `end`.
    pub(super) async fn cause(&self, pool: &dyn Pool, limit: Duration, end: Instant) -> StoreError {
        let found = async {
            let mut last = self.0.lock().await;
            let old = last.as_ref().is_none_or(|found| found.at.elapsed() > COUNTS_FOR);
            if old {
                *last = None;
                let connected = pool.probe().await;
                *last = Some(Found { at: Instant::now(), connected });
            }
            match last.as_ref().map(|found| &found.connected) {
                Some(Err(error)) => unreachable(error),
                _ if pool.has_room() => StoreError::new(Failure::NoAnswer(limit)),
                _ => StoreError::new(Failure::NoneFree { size: pool.size(), limit }),
            }
        };
        let found = timeout_at(end, found).await;
        found.unwrap_or_else(|_| StoreError::new(Failure::NoAnswer(limit)))
    }
}
