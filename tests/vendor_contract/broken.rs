//! A store and a limiter that cannot answer.

use tokio::task::yield_now;
use tower_api_key::Eventually;
use tower_api_key::key::KeyDigest;
use tower_api_key::limits::{Charge, Limiter, LimiterError};
use tower_api_key::quota::Verdict;
use tower_api_key::store::{Found, KeyStore, StoreError};

/// Fails at once, or later.
#[derive(Clone, Copy)]
pub(crate) struct Broken {
    pub(crate) later: bool,
}

impl Broken {
    fn fail<T: Send + 'static>(self, answer: impl FnOnce() -> T + Send + 'static) -> Eventually<T> {
        if !self.later {
            return Eventually::now(answer());
        }
        Eventually::later(async move {
            yield_now().await;
            answer()
        })
    }
}

impl KeyStore for Broken {
    fn find(&self, _: &KeyDigest) -> Eventually<Found> {
        self.fail(|| Err(StoreError::new("connection reset")))
    }
}

impl Limiter for Broken {
    fn charge(&self, _: Charge<'_>) -> Eventually<Result<Verdict, LimiterError>> {
        self.fail(|| Err(LimiterError::new("connection reset")))
    }
}
