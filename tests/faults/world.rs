//! A gate between things that go wrong, and what must hold of it whatever has happened.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::{Limiter, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::{ApiKeyGate, ApiKeyLayer};

use super::faulty::{FaultyLimiter, FaultyStore, PATIENCE, Plan};
use super::inner::Inner;
use crate::support::{PROFILE, reason, request, store};

/// The requests that the one account has in an hour.
const LIMIT: usize = 9;
/// How long a request may queue for the one place.
pub(crate) const QUEUE: Duration = Duration::from_secs(1);

pub(crate) struct World {
    pub(crate) layer: ApiKeyLayer,
    pub(crate) inner: Inner,
}

/// What a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer to its end: `admitted`, or the name of the denial.
    Answered(&'static str),
    /// An error of the service, before its answer or in the middle of it.
    Failed,
    /// A panic, which ends the task that serves its connection.
    Panicked,
    /// Nothing, until it hangs up.
    Nothing,
}

impl World {
    /// Builds a gate whose store and limiter follow the plan of the service behind it.
    pub(crate) fn faulty(on_failure: OnLimiterFailure) -> Self {
        let inner = Inner::default();
        let plan = |of: &Inner| Plan::clone(&of.plan);
        let limiter = FaultyLimiter(Arc::new(MemoryLimiter::new()), plan(&inner));
        let store = FaultyStore(counted(), plan(&inner));
        Self { layer: layer(store, limiter, on_failure), inner }
    }

    /// Builds a gate of this store and limiter.
    pub(crate) fn of(store: impl KeyStore, limiter: impl Limiter) -> Self {
        Self { layer: layer(store, limiter, OnLimiterFailure::Deny), inner: Inner::default() }
    }

    pub(crate) fn gate(&self) -> ApiKeyGate<Inner> {
        self.layer.layer(self.inner.clone())
    }

    pub(crate) fn reached(&self) -> usize {
        self.inner.reached.load(Ordering::SeqCst)
    }

    /// Lets a client send a request and read its answer, and hang up when nothing comes.
    pub(crate) async fn outcome(&self, request: Request<()>) -> Outcome {
        let gate = self.gate();
        let client = tokio::spawn(async move {
            let served = timeout(PATIENCE, async move {
                let answer = gate.oneshot(request).await?;
                let reason = reason(&answer);
                answer.into_body().collect().await?;
                Ok::<_, std::io::Error>(reason)
            });
            match served.await {
                Ok(Ok(reason)) => Outcome::Answered(reason),
                Ok(Err(_)) => Outcome::Failed,
                Err(_) => Outcome::Nothing,
            }
        });
        client.await.unwrap_or(Outcome::Panicked)
    }

    /// Checks what must hold when a request is over, however it ended; so many were served before
    /// it. Returns how often the counter was charged for it.
    pub(crate) async fn check(&self, tasks: usize, before: usize, what: &str) -> usize {
        sleep(Duration::from_secs(1)).await; // Whatever works on without anybody comes to its end.
        assert!(self.inner.plan.is_over(), "{what}: it did not go wrong");
        let alive = Handle::current().metrics().num_alive_tasks();
        assert_eq!(alive, tasks, "{what}: tasks left");
        let reached = self.reached() - before;
        assert!(reached <= 1, "{what}: {reached} calls");

        let probe = || self.gate().oneshot(request(Method::POST, "/"));
        let first = timeout(PATIENCE, probe()).await.expect("the place is free").unwrap();
        assert_eq!(reason(&first), "admitted", "{what}: the place is free");
        let second = timeout(2 * QUEUE, probe()).await.unwrap().unwrap();
        assert_eq!(reason(&second), "concurrency_exceeded", "{what}: one place, not two");
        drop(first);
        let granted = self.inner.granted.load(Ordering::SeqCst);
        assert_eq!(granted, self.reached(), "{what}: a call without a grant");

        let third = probe().await.unwrap();
        let left = third.headers()["ratelimit-remaining"].to_str().unwrap();
        let charged = LIMIT - left.parse::<usize>().unwrap() - before - 2;
        assert!(charged <= 1, "{what}: charged {charged} times");
        charged
    }
}

/// A store that knows the one key, of an account with a quota.
pub(crate) fn counted() -> MemoryStore {
    let limit = u32::try_from(LIMIT).unwrap();
    store(|key| key.quotas([Quota::new("hour", limit, Duration::from_secs(3_600))]))
}

fn layer(store: impl KeyStore, limiter: impl Limiter, on_failure: OnLimiterFailure) -> ApiKeyLayer {
    let routes = Routes::new()
        .on(&[], "/", Route::new().concurrency(Concurrency::new(1).with_longest_wait(QUEUE)))
        .on(&[], "/scope", Route::new().all_of(&["lacking"]))
        .on(&[], "/budget", Route::new().budget(PATIENCE / 2));
    let layer = ApiKeyLayer::builder(PROFILE, store).limits(limiter, on_failure);
    layer.routes(routes).build().unwrap()
}
