//! The answer of a lookup: the store's, or the reason why the store gave none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::StoreError;
use crate::key::SharedRecord;

/// The most lookups in the queue. A lookup leaves the queue when no request waits for it any more.
pub(super) const LONGEST_QUEUE: usize = 65_536;

/// What a store answered, for all requests that wait for the lookup.
pub(super) type SharedFound = Result<Option<SharedRecord>, Arc<StoreError>>;

/// Sends an answer to all requests that wait for it.
pub(super) type AnswerSender = watch::Sender<Option<LookupAnswer>>;

/// The answer of a lookup, and the number of the latest notice before the store was asked.
#[derive(Clone)]
pub(super) struct LookupAnswer {
    pub(super) found: SharedFound,
    pub(super) after: u64,
}

/// A request that waits for a lookup.
pub(super) struct Waiter {
    answer: watch::Receiver<Option<LookupAnswer>>,
    /// The number of the latest notice before this request.
    pub(super) arrived: u64,
}

impl Waiter {
    pub(super) const fn new(answer: watch::Receiver<Option<LookupAnswer>>, arrived: u64) -> Self {
        Self { answer, arrived }
    }

    /// Waits for the answer.
    pub(super) async fn wait(mut self) -> LookupAnswer {
        match self.answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(answer)) => answer.clone(),
            // The lookup was dropped without an answer.
            _ => LookupAnswer { found: NoAnswer::Ended.into(), after: u64::MAX },
        }
    }
}

/// Why a lookup has no answer from the store.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the store did not answer within {0:?}, the `timeout` of the cache")]
    Timeout(Duration),
    #[error(
        "the lookup waited in the queue for {0:?}: the store is slow, or `lookups_at_once` is too low"
    )]
    Queued(Duration),
    #[error(
        "{LONGEST_QUEUE} lookups wait already: the store is slow, or `lookups_at_once` is too low"
    )]
    QueueIsFull,
    #[error("the store panicked during a lookup")]
    Panicked,
    #[error("the runtime shut down during the lookup")]
    Ended,
}

impl From<NoAnswer> for SharedFound {
    fn from(why: NoAnswer) -> Self {
        Err(Arc::new(StoreError::new(why)))
    }
}
