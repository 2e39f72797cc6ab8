//! Simultaneous requests, and the limits of many tasks at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, sleep};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per, Quota};
use tower_api_key::rules::{Route, Routes};

use crate::support::{PROFILE, Service, greeting, reason, request, send, store};

const SECOND: Duration = Duration::from_secs(1);

fn one_at_a_time(concurrency: Concurrency) -> ApiKeyLayer {
    let routes = Routes::new().on(&[Method::POST], "/", Route::new().concurrency(concurrency)).on(
        &[Method::GET],
        "/",
        Route::new(),
    );
    ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).build().unwrap()
}

/// A service whose answer takes two seconds.
fn slow(layer: &ApiKeyLayer) -> Service {
    BoxCloneSyncService::new(layer.layer(service_fn(|_: Request<()>| async {
        sleep(2 * SECOND).await;
        Ok(Response::new(Full::new(Bytes::from("done"))))
    })))
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_until_the_body_ends_or_is_dropped() {
    let layer = one_at_a_time(Concurrency::new(1));
    let service = greeting(&layer);
    let post = || request(Method::POST, "/");
    let first = send(&service, post()).await;
    assert_eq!(reason(&send(&service, post()).await), "concurrency_exceeded");
    assert_eq!(reason(&send(&service, request(Method::GET, "/")).await), "admitted");
    first.into_body().collect().await.unwrap();
    let second = send(&service, post()).await;
    assert_eq!(reason(&second), "admitted", "the first body has ended");
    drop(second);
    let mut third = send(&service, post()).await;
    assert_eq!(reason(&third), "admitted", "the second body was dropped");
    third.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(reason(&send(&service, post()).await), "concurrency_exceeded", "not at its end");
    assert!(third.body_mut().frame().await.is_none());
    assert_eq!(reason(&send(&service, post()).await), "admitted", "the third body has ended");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_gives_its_place_back() {
    let layer = one_at_a_time(Concurrency::new(1).with_longest_wait(SECOND));
    let service = slow(&layer);
    let serving = tokio::spawn(service.clone().oneshot(request(Method::POST, "/")));
    sleep(SECOND / 10).await;
    let waiting = tokio::spawn(service.clone().oneshot(request(Method::POST, "/")));
    sleep(SECOND / 10).await;
    let last = tokio::spawn(service.clone().oneshot(request(Method::POST, "/")));
    sleep(SECOND / 10).await;
    waiting.abort();
    serving.abort();
    let response = last.await.unwrap().unwrap();
    assert_eq!(reason(&response), "admitted", "both before it are gone");
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_is_kept_to_the_millisecond() {
    let layer = one_at_a_time(Concurrency::new(1).with_longest_wait(SECOND));
    let service = slow(&layer);
    let serving = tokio::spawn(service.clone().oneshot(request(Method::POST, "/")));
    sleep(SECOND / 10).await;
    let began = Instant::now();
    let refused = service.oneshot(request(Method::POST, "/")).await.unwrap();
    assert_eq!(reason(&refused), "concurrency_exceeded");
    assert_eq!(began.elapsed(), SECOND);
    assert_eq!(reason(&serving.await.unwrap().unwrap()), "admitted");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_finds_no_place_costs_nothing() {
    const QUOTAS: &[Quota] = &[Quota::new("minute", 2, Duration::from_secs(60))];
    let route = Route::new().quotas(QUOTAS).concurrency(Concurrency::new(1));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .routes(Routes::new().on(&[], "/", route))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    let service = greeting(&layer);
    let first = send(&service, request(Method::POST, "/")).await;
    assert_eq!(first.headers()["ratelimit-remaining"], "1");
    for _ in 0..5 {
        let refused = send(&service, request(Method::POST, "/")).await;
        assert_eq!(reason(&refused), "concurrency_exceeded");
        assert_eq!(refused.headers()["ratelimit-remaining"], "1");
    }
    drop(first);
    drop(send(&service, request(Method::POST, "/")).await);
    let limited = send(&service, request(Method::POST, "/")).await;
    assert_eq!(reason(&limited), "rate_limited", "and a full quota takes no permit");
    assert_eq!(limited.headers()["retry-after"], "60");
}

#[tokio::test(start_paused = true)]
async fn a_spent_time_budget_ends_the_inner_service() {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let routes = Routes::new().on(&[], "/", Route::new().budget(SECOND));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).build().unwrap();
    let alive = Arc::new(AtomicUsize::new(0));
    let service = layer.layer(service_fn(|_: Request<()>| {
        alive.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&alive));
        async move {
            sleep(2 * SECOND).await;
            drop(alive);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    }));
    let began = Instant::now();
    let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
    assert_eq!((reason(&response), response.status().as_u16()), ("timed_out", 503));
    assert_eq!((began.elapsed(), alive.load(Ordering::SeqCst)), (SECOND, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_tasks_exactly_the_limit_passes() {
    const TASKS: usize = 400;
    let hour = Duration::from_secs(3_600);
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        for per in [Per::Account, Per::Key] {
            let tight = Quota::new("tight", 37, hour).with_algorithm(algorithm).with_per(per);
            let loose = Quota::new("loose", 1_000, hour).with_algorithm(algorithm);
            let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
            let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([loose, tight])))
                .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
                .clock(clock)
                .build()
                .unwrap();
            let service = greeting(&layer);
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let service = service.clone();
                    tokio::spawn(
                        async move { reason(&send(&service, request(Method::GET, "/")).await) },
                    )
                })
                .collect();
            let mut passed = 0;
            for task in tasks {
                match task.await.unwrap() {
                    "admitted" => passed += 1,
                    other => assert_eq!(other, "rate_limited"),
                }
            }
            assert_eq!(passed, 37, "{algorithm:?} {per:?}");
        }
    }
}

/// Asks for a permit when it is dropped, and notes whether there was one.
struct AsksWhenDropped {
    layer: ApiKeyLayer,
    admitted: Arc<AtomicUsize>,
}

impl Drop for AsksWhenDropped {
    fn drop(&mut self) {
        let service = greeting(&self.layer);
        let again = std::pin::pin!(send(&service, request(Method::POST, "/")));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let admitted = match std::future::Future::poll(again, &mut context) {
            std::task::Poll::Ready(answer) => reason(&answer) == "admitted",
            std::task::Poll::Pending => false,
        };
        self.admitted.fetch_add(usize::from(admitted), Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_given_back_after_the_inner_future_has_ended() {
    let layer = one_at_a_time(Concurrency::new(1));
    let admitted = Arc::new(AtomicUsize::new(0));
    let service = layer.layer(service_fn(|_: Request<()>| {
        let (layer, admitted) = (layer.clone(), Arc::clone(&admitted));
        async move {
            let _held = AsksWhenDropped { layer, admitted };
            std::future::pending::<()>().await;
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    }));
    let abandoned = service.oneshot(request(Method::POST, "/"));
    assert!(tokio::time::timeout(SECOND, abandoned).await.is_err());
    assert_eq!(admitted.load(Ordering::SeqCst), 0, "not while the first one still holds things");
    assert_eq!(reason(&send(&greeting(&layer), request(Method::POST, "/")).await), "admitted");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_gives_its_place_back_at_once() {
    let layer = one_at_a_time(Concurrency::new(1));
    let failing = layer.layer(service_fn(|_: Request<()>| async {
        Err::<Response<Full<Bytes>>, _>(std::io::Error::other("broken"))
    }));
    let mut first = std::pin::pin!(failing.oneshot(request(Method::POST, "/")));
    assert!(first.as_mut().await.is_err());
    // The future itself is still there.
    assert_eq!(reason(&send(&greeting(&layer), request(Method::POST, "/")).await), "admitted");
}
