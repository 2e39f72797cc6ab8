//! What a lookup comes to: the store's answer, or why there is none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::error::StoreError;
use crate::key::SharedRecord;

/// Lookups that may wait in line. Each belongs to a request that waits, and leaves with it.
pub(super) const LINE: usize = 65_536;

/// What a store answered, for all requests that wait.
pub(super) type SharedFound = Result<Option<SharedRecord>, Arc<StoreError>>;

/// Hands an answer to all requests that wait for it.
pub(super) type AnswerSender = watch::Sender<Option<LookupAnswer>>;

/// What a lookup came to, and the latest notice before the store was asked.
#[derive(Clone)]
pub(super) struct LookupAnswer {
    pub(super) found: SharedFound,
    pub(super) after: u64,
}

/// Waits for a lookup.
pub(super) struct Waiter {
    answer: watch::Receiver<Option<LookupAnswer>>,
    /// The latest notice before this request.
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
            // No lookup is left to answer.
            _ => LookupAnswer { found: NoAnswer::Ended.into(), after: u64::MAX },
        }
    }
}

/// Why there was no answer, if it is not the store that says so.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the store did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the lookup stood in line for {0:?}; the store is slow, or lookups_at_once is low")]
    InLine(Duration),
    #[error("more than {LINE} lookups wait in line")]
    LineIsFull,
    #[error("the store panicked")]
    Panicked,
    #[error("the lookup was ended with its runtime")]
    Ended,
}

impl From<NoAnswer> for SharedFound {
    fn from(why: NoAnswer) -> Self {
        Err(Arc::new(StoreError::new(why)))
    }
}
