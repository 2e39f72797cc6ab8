//! The notices that a node gets from the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tower_api_key::store::{Invalidation, Invalidations, ManageError, ManageFuture, StoreError};

use super::server::Database;

/// The time without a notice after which the connection is tested.
const QUIET: Duration = Duration::from_secs(10);
/// The longest time of a statement.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Receives notices over a connection of its own, as PostgreSQL's `LISTEN` does.
pub struct Listener {
    node: u64,
    database: Arc<Database>,
    notices: Option<UnboundedReceiver<(u64, Invalidation)>>,
    /// When the latest notice came. Notices keep their order.
    latest: u64,
}

impl Listener {
    /// Creates a listener, which connects at its first use.
    pub const fn new(node: u64, database: Arc<Database>) -> Self {
        Self { node, database, notices: None, latest: 0 }
    }

    async fn receive(&mut self) -> Result<Invalidation, ManageError> {
        let (node, time) = (self.node, self.database.time);
        let Some(notices) = &mut self.notices else {
            let asked = self.database.run(node, |history| history.listen(node));
            self.notices = Some(within(asked).await?);
            return Ok(Invalidation::Everything);
        };
        loop {
            match tokio::time::timeout(QUIET, notices.recv()).await {
                Ok(Some((at, what))) => {
                    self.latest = self.latest.max(at);
                    time.reach(self.latest).await;
                    return Ok(what);
                }
                Ok(None) => {
                    self.notices = None;
                    return Err(StoreError::new("the connection for notices was lost").into());
                }
                Err(_) => {
                    if let Err(error) = within(self.database.run(node, |_| ())).await {
                        self.notices = None;
                        return Err(error);
                    }
                }
            }
        }
    }
}

async fn within<T>(
    answer: impl Future<Output = Result<T, tower_api_key::store::StoreError>>,
) -> Result<T, ManageError> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(answer) => Ok(answer?),
        Err(error) => Err(StoreError::new(error).into()),
    }
}

impl Invalidations for Listener {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(self.receive())
    }
}
