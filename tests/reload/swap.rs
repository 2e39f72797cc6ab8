//! Which layer decides about a request, and for how long it lives.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::task::yield_now;
use tower::{Layer, Service as _, ServiceExt};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ConfigError, Denial, Grant};

use super::{HeldStore, MINUTE, NEW, OLD, answered_by, door, get, telling};
use crate::support::{anonymous, reason, request, send, store, text};

#[tokio::test]
async fn a_layer_is_replaced_between_two_requests() {
    let store = store(|key| key);
    let (layer, handle) = ReloadableLayer::new(door(&OLD, store.clone()).build().unwrap());
    let (service, other) = (telling(&layer), telling(&layer.clone()));
    assert_eq!(answered_by(&send(&service, get()).await), "old");
    let new = door(&NEW, store).strip_credential().build_after(&handle.current()).unwrap();
    let old = handle.clone().replace(new);
    for service in [service.clone(), other, telling(&layer)] {
        let response = send(&service, get()).await;
        assert_eq!(answered_by(&response), "new");
        assert_eq!(text(response).await, "no key of acme");
        assert_eq!(answered_by(&send(&service, anonymous(Method::GET, "/")).await), "new");
        let denied = send(&service, request(Method::DELETE, "/")).await;
        assert_eq!((reason(&denied), answered_by(&denied)), ("internal_error", "new"));
    }
    assert_eq!(answered_by(&handle.current().answer(&Denial::KeyUnknown)), "new");
    assert_eq!(answered_by(&old.answer(&Denial::KeyUnknown)), "old");
    handle.replace(old);
    assert_eq!(answered_by(&send(&service, get()).await), "old");
    for shown in [format!("{layer:?}"), format!("{handle:?}"), format!("{:?}", layer.layer(()))] {
        assert!(shown.contains("Reload") && shown.contains("Test"), "{shown}");
    }
}

#[tokio::test]
async fn a_broken_description_keeps_the_layer_that_serves() {
    let store = store(|key| key);
    let (layer, handle) = ReloadableLayer::new(door(&OLD, store.clone()).build().unwrap());
    let service = telling(&layer);
    let broken = || door(&NEW, store.clone()).environment("");
    let refused = handle.reload(|previous| broken().build_after(previous));
    assert!(matches!(refused, Err(ConfigError::Name(_))), "{refused:?}");
    assert_eq!(answered_by(&send(&service, get()).await), "old");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        handle.reload(|_| -> Result<ApiKeyLayer, ()> { panic!("a builder that panics") })
    }));
    assert!(panicked.is_err());
    assert_eq!(answered_by(&send(&service, get()).await), "old");
    handle.reload(|previous| door(&NEW, store.clone()).build_after(previous)).unwrap();
    assert_eq!(answered_by(&send(&service, get()).await), "new");
}

/// The old layer needs no scope and strips the key. The new one needs a scope that the key lacks.
#[tokio::test]
async fn a_request_that_waits_is_finished_by_the_layer_that_admitted_it() {
    let held = HeldStore::new();
    let old = door(&OLD, held.clone()).strip_credential().build().unwrap();
    let (layer, handle) = ReloadableLayer::new(old);
    let service = telling(&layer);
    let [waiting, denied] = [Method::GET, Method::DELETE]
        .map(|method| tokio::spawn(service.clone().oneshot(request(method, "/"))));
    yield_now().await;
    let routes = Routes::new().get("/", Route::new().all_of(&["b"]));
    let stricter = ApiKeyLayer::builder(NEW, held.clone()).routes(routes);
    handle.reload(|previous| stricter.build_after(previous)).unwrap();
    held.answers.add_permits(3);
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(answered_by(&response), "old");
    assert_eq!(text(response).await, "no key of acme");
    let denied = denied.await.unwrap().unwrap();
    assert_eq!((reason(&denied), answered_by(&denied)), ("internal_error", "old"));
    let refused = send(&service, get()).await;
    assert_eq!((reason(&refused), answered_by(&refused)), ("scope_missing", "new"));
}

/// What the end of a request decides: its refund, its time budget, and what it added to its cost.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_request_is_that_of_its_own_layer() {
    const QUOTAS: &[Quota] = &[Quota::new("minute", 100, MINUTE)];
    let (store, limiter) = (store(|key| key), Arc::new(MemoryLimiter::new()));
    let build = |profile, route: Route<'_>| {
        ApiKeyLayer::builder(profile, store.clone())
            .routes(Routes::new().on(&[], "/{*path}", route.quotas(QUOTAS)))
            .limits(Arc::clone(&limiter), OnLimiterFailure::Deny)
    };
    let generous = Route::new().cost(10).refund_on(&[500..=599]).budget(2 * MINUTE);
    let (layer, handle) = ReloadableLayer::new(build(OLD, generous).build().unwrap());
    let service = layer.layer(tower::service_fn(|request: Request<()>| async move {
        let grant = request.extensions().get::<Grant>().cloned();
        tokio::time::sleep(MINUTE / 6).await;
        drop(grant);
        let status = if request.uri().path() == "/fails" { 503 } else { 200 };
        Ok::<_, Infallible>(
            Response::builder().status(status).body(Full::new(Bytes::new())).unwrap(),
        )
    }));
    let calls = ["/fails", "/works"]
        .map(|path| tokio::spawn(service.clone().oneshot(request(Method::GET, path))));
    tokio::time::sleep(MINUTE / 12).await;
    let strict = Route::new().cost(1).budget(MINUTE / 60);
    handle.reload(|previous| build(NEW, strict).build_after(previous)).unwrap();
    let [failed, worked] = calls;
    let (failed, worked) = (failed.await.unwrap().unwrap(), worked.await.unwrap().unwrap());
    assert_eq!((failed.status().as_u16(), answered_by(&failed)), (503, "old"));
    assert_eq!((reason(&worked), answered_by(&worked)), ("admitted", "old"));
    let late = service.clone().oneshot(request(Method::GET, "/works")).await.unwrap();
    assert_eq!((reason(&late), answered_by(&late)), ("timed_out", "new"));
    assert_eq!(late.headers()["ratelimit-remaining"], "89", "10 stayed, 10 came back, 1 is new");
}

/// The store of a layer lives as long as the layer.
#[tokio::test]
async fn a_layer_is_dropped_when_its_last_request_ends() {
    let held = HeldStore::new();
    let marked = Arc::new(held.clone());
    let alive: Weak<HeldStore> = Arc::downgrade(&marked);
    let (layer, handle) = ReloadableLayer::new(door(&OLD, marked).build().unwrap());
    let mut idle = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    held.answers.add_permits(3);
    for _ in 0..3 {
        // As a server that calls one gate for all requests of a connection.
        assert_eq!(reason(&idle.ready().await.unwrap().call(get()).await.unwrap()), "admitted");
    }
    let (ended, aborted) = (telling(&layer).oneshot(get()), telling(&layer).oneshot(get()));
    let (ended, aborted) = (tokio::spawn(ended), tokio::spawn(aborted));
    yield_now().await;
    handle.reload(|previous| door(&NEW, held.clone()).build_after(previous)).unwrap();
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    assert!(alive.upgrade().is_some(), "a request still needs it");
    held.answers.add_permits(1);
    let response = ended.await.unwrap().unwrap();
    assert!(alive.upgrade().is_none(), "an idle gate does not");
    assert_eq!(answered_by(&response), "old");
    drop(idle);
}

/// The body of a response holds the permit of its request, not the layer.
#[tokio::test]
async fn a_body_holds_no_layer() {
    let marked = Arc::new(store(|key| key));
    let (store, alive) = (marked.as_ref().clone(), Arc::downgrade(&marked));
    let routes = || Routes::new().get("/", Route::new().concurrency(Concurrency::new(1)));
    let old = ApiKeyLayer::builder(OLD, marked).routes(routes()).build().unwrap();
    let (layer, handle) = ReloadableLayer::new(old);
    let service = telling(&layer);
    let first = send(&service, get()).await;
    let new = ApiKeyLayer::builder(NEW, store).routes(routes());
    handle.reload(|previous| new.build_after(previous)).unwrap();
    assert!(alive.upgrade().is_none());
    let refused = send(&service, get()).await;
    assert_eq!((reason(&refused), answered_by(&refused)), ("concurrency_exceeded", "new"));
    drop(first);
    assert_eq!(reason(&send(&service, get()).await), "admitted");
}

/// A layer that shuts everyone out in an emergency stays, whatever was being built meanwhile.
#[tokio::test]
async fn a_reload_does_not_undo_a_replacement() {
    let (service, handle) = super::serving(door(&OLD, store(|key| key)));
    let emergency = door(&NEW, store(|key| key)).build().unwrap();
    let (begun, begins) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let handle = &handle;
        scope.spawn(move || {
            begins.recv().unwrap();
            handle.replace(emergency);
        });
        let rebuild = |previous: &ApiKeyLayer| {
            begun.send(()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(100));
            door(&OLD, store(|key| key)).build_after(previous)
        };
        handle.reload(rebuild).unwrap();
    });
    assert_eq!(answered_by(&send(&service, get()).await), "new");
}

/// Panics if it is called without having been ready; a clone is not ready.
struct OnceReady(bool);

impl Clone for OnceReady {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl tower::Service<Request<()>> for OnceReady {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0 = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.0), "called without having been polled ready");
        ready(Ok(Response::new(Full::new(Bytes::new()))))
    }
}

#[tokio::test]
async fn a_gate_that_is_ready_is_decided_by_the_layer_at_its_call() {
    let held = HeldStore::new();
    let (layer, handle) = ReloadableLayer::new(door(&OLD, held.clone()).build().unwrap());
    let mut gate = layer.layer(OnceReady(false));
    gate.ready().await.unwrap();
    handle.reload(|previous| door(&NEW, held.clone()).build_after(previous)).unwrap();
    let waiting = tokio::spawn(gate.call(get()));
    yield_now().await;
    handle.reload(|previous| door(&OLD, held.clone()).build_after(previous)).unwrap();
    held.answers.add_permits(2);
    assert_eq!(answered_by(&waiting.await.unwrap().unwrap()), "new");
    let refused = gate.ready().await.unwrap().call(anonymous(Method::GET, "/")).await.unwrap();
    assert_eq!((reason(&refused), answered_by(&refused)), ("credentials_missing", "old"));
    let admitted = gate.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!((reason(&admitted), answered_by(&admitted)), ("admitted", "old"));
}
