//! Layers that are replaced under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use http::Method;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota};
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Reply};

use super::{NEW, OLD, answered_by, telling};
use crate::support::{reason, request, send, store, text};

const CLIENTS: u32 = 12;
const REQUESTS: u32 = 2_000;

/// Answers every other lookup later, so that swaps fall into it.
#[derive(Clone)]
struct Unsteady(MemoryStore, Arc<AtomicU32>);

impl KeyStore for Unsteady {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let answer = self.0.find(digest);
        if self.1.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return answer;
        }
        Reply::later(async move {
            tokio::task::yield_now().await;
            answer.await
        })
    }
}

/// The old door strips the key and the new one does not. The limits differ, and each is just wide enough.
fn doors(number: u32, store: &Unsteady, limiter: &Arc<MemoryLimiter>) -> ApiKeyLayerBuilder {
    let is_old = number.is_multiple_of(2);
    let factor = if is_old { 1 } else { 3 };
    let quotas = [Quota::new("day", factor * 1_000_000, Duration::from_secs(86_400))
        .with_algorithm(Algorithm::FixedWindow)];
    let route = Route::new().quotas(&quotas).concurrency(Concurrency::new(factor * CLIENTS));
    let builder = ApiKeyLayer::builder(if is_old { OLD } else { NEW }, store.clone())
        .routes(Routes::new().get("/", route))
        .limits(Arc::clone(limiter), OnLimiterFailure::Deny)
        .failed_attempts(FailedAttempts::new(factor * CLIENTS, Duration::from_secs(86_400)));
    if is_old { builder.strip_credential() } else { builder }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_and_none_is_decided_by_two_layers() {
    let (store, limiter) = (Unsteady(store(|key| key), Arc::default()), Arc::default());
    let (layer, handle) = ReloadableLayer::new(doors(0, &store, &limiter).build().unwrap());
    let service = telling(&layer);
    let clients = (0..CLIENTS).map(|_| {
        let service = service.clone();
        tokio::spawn(async move {
            let mut seen = [0_u32; 2];
            for _ in 0..REQUESTS {
                let response = send(&service, request(Method::GET, "/")).await;
                assert_eq!(reason(&response), "admitted");
                let is_old = answered_by(&response) == "old";
                seen[usize::from(is_old)] += 1;
                let expected = if is_old { "no key of acme" } else { "a key of acme" };
                assert_eq!(text(response).await, expected);
            }
            seen
        })
    });
    let clients: Vec<_> = clients.collect();
    let over = Arc::new(AtomicBool::new(false));
    let swapping = [1, 2].map(|first| {
        let (handle, store, limiter) = (handle.clone(), store.clone(), Arc::clone(&limiter));
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            let mut swaps = first;
            while !over.load(Ordering::Relaxed) {
                let builder = doors(swaps, &store, &limiter);
                handle.reload(|previous| builder.build_after(previous)).unwrap();
                swaps += 1;
            }
            swaps
        })
    });
    let mut seen = [0; 2];
    for client in clients {
        let [new, old] = client.await.unwrap();
        seen = [seen[0] + new, seen[1] + old];
    }
    over.store(true, Ordering::Relaxed);
    let swaps: u32 = swapping.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{swaps} swaps; {} requests by the new door, {} by the old", seen[0], seen[1]);
    assert!(seen.iter().all(|number| *number > 0) && swaps > 10, "{seen:?} {swaps}");

    // Each request was counted once, and each permit and attempt was given back.
    handle.reload(|previous| doors(0, &store, &limiter).build_after(previous)).unwrap();
    let mut held = Vec::new();
    for _ in 0..CLIENTS {
        held.push(send(&service, request(Method::GET, "/")).await);
    }
    assert!(held.iter().all(|response| reason(response) == "admitted"));
    let left: u32 =
        held.last().unwrap().headers()["ratelimit-remaining"].to_str().unwrap().parse().unwrap();
    assert_eq!(left, 1_000_000 - CLIENTS * REQUESTS - CLIENTS);
    let refused = send(&service, request(Method::GET, "/")).await;
    assert_eq!(reason(&refused), "concurrency_exceeded");
}
