//! The notices that a node gets from the database, and the proofs that none was lost.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tower_api_key::store::{Invalidation, Invalidations, ManageFuture, StoreError};

use super::server::Database;

/// The longest time of a statement.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The time between two proofs, as with SQL.
const EVERY: Duration = Duration::from_millis(500);

/// The end of the trail, and the keys that were changed before it.
struct TrailPart {
    asked: Instant,
    run: usize,
    sequence: u64,
    keys: Vec<u64>,
}

type Asking = Pin<Box<dyn Future<Output = Result<TrailPart, StoreError>> + Send>>;

/// Receives notices over a connection of its own, as PostgreSQL's `LISTEN` does. Reads the trail over the pool.
pub struct Listener {
    node: u64,
    database: Arc<Database>,
    pool: Arc<Semaphore>,
    notices: Option<UnboundedReceiver<(u64, Invalidation)>>,
    /// When the latest notice came. Notices keep their order.
    latest: u64,
    /// The run of the database and the sequence that were seen.
    seen: Option<(usize, u64)>,
    asking: Option<Asking>,
    found: VecDeque<Invalidation>,
    proves: bool,
}

impl Listener {
    /// Creates a listener, which connects at its first use.
    pub fn new(node: u64, database: Arc<Database>, pool: Arc<Semaphore>) -> Self {
        let (notices, seen, asking, found) = (None, None, None, VecDeque::new());
        Self { node, database, pool, notices, latest: 0, seen, asking, found, proves: true }
    }

    /// Reads no trail.
    pub fn without_proofs(self) -> Self {
        Self { proves: false, ..self }
    }

    async fn receive(&mut self) -> Result<Invalidation, StoreError> {
        let (node, time) = (self.node, self.database.time);
        if self.notices.is_none() {
            let asked = self.database.run(node, |history| history.listen(node));
            self.notices = Some(within(asked).await?);
            if self.proves {
                let part = self.ask(Duration::ZERO).await;
                self.seen = part.ok().map(|part| (part.run, part.sequence));
            }
            (self.asking, self.found) = (None, VecDeque::new());
            return Ok(Invalidation::Everything);
        }
        loop {
            if let Some(found) = self.found.pop_front() {
                return Ok(found);
            }
            if self.asking.is_none() {
                let proof = self.proves.then(|| self.ask(EVERY));
                self.asking = Some(proof.unwrap_or_else(|| Box::pin(pending())));
            }
            let (Some(notices), Some(asking)) = (&mut self.notices, &mut self.asking) else {
                continue;
            };
            tokio::select! {
                biased;
                notice = notices.recv() => {
                    let Some((at, what)) = notice else {
                        self.notices = None;
                        return Err(StoreError::new("the connection for notices was lost"));
                    };
                    self.latest = self.latest.max(at);
                    time.reach(self.latest).await;
                    return Ok(what);
                }
                part = asking => {
                    self.asking = None;
                    if let Ok(part) = part {
                        self.read(&part);
                    }
                }
            }
        }
    }

    /// Asks for the changes since those that were seen.
    fn ask(&self, pause: Duration) -> Asking {
        let (node, database) = (self.node, Arc::clone(&self.database));
        let (pool, since) = (Arc::clone(&self.pool), self.seen.map_or(u64::MAX, |seen| seen.1));
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            let asked = Instant::now();
            let part = async {
                let _connection = pool.acquire().await.map_err(StoreError::new)?;
                let part = database.run(node, |history| {
                    let (run, sequence) = history.end();
                    TrailPart { asked, run, sequence, keys: history.keys_since(since) }
                });
                part.await
            };
            within(part).await
        })
    }

    fn read(&mut self, part: &TrailPart) {
        let before = self.seen.replace((part.run, part.sequence));
        if before.is_none_or(|(run, _)| run != part.run) {
            // The next answer is a proof again.
            return self.found.push_back(Invalidation::Everything);
        }
        let changed = |key: &u64| Invalidation::Secret(self.database.keys.digest(*key));
        self.found.extend(part.keys.iter().map(changed));
        self.found.push_back(Invalidation::UpToDate(part.asked.into_std()));
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TIMEOUT, answer).await.map_err(StoreError::new)?
}

impl Invalidations for Listener {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async { Ok(self.receive().await?) })
    }
}
