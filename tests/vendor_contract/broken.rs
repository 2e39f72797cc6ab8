//! A store and a limiter that cannot answer.

use tokio::task::yield_now;
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError};
use tower_api_key::quota::Verdict;
use tower_api_key::store::{KeyStore, StoreError};

/// Fails at once, or later.
#[derive(Clone, Copy)]
pub(crate) struct Broken {
    pub(crate) later: bool,
}

impl Broken {
    fn fail<T: Send + 'static>(self, answer: impl FnOnce() -> T + Send + 'static) -> Reply<T> {
        if !self.later {
            return Reply::now(answer());
        }
        Reply::later(async move {
            yield_now().await;
            answer()
        })
    }
}

impl KeyStore for Broken {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.fail(|| Err(StoreError::new("connection reset")))
    }
}

impl Limiter for Broken {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.fail(|| Err(LimiterError::new("connection reset")))
    }
}
