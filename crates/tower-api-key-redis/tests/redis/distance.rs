//! A server that is farther away than the timeout of calls allows.

use std::time::{Duration, Instant};

use tower_api_key_redis::RedisLimiter;

use crate::failover::{Asked, told};
use crate::relay::Relay;
use crate::{Redis, TURNS};

/// One way, of 60 ms there and back.
const DISTANCE: Duration = Duration::from_millis(30);

/// Before: each request waited for the timeout, and the limiter connected again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_distant_server_is_an_error_at_start_that_says_what_to_set() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let relay = Relay::to_distant(server.port(), DISTANCE).await;
    let limiter = RedisLimiter::open(&relay.url()).unwrap();
    let error = told(&limiter.check().await.unwrap_err());
    println!("{error}");
    assert!(error.contains("`RedisLimiterBuilder::timeout` is 50ms"), "{error}");
    let ping = error.split("answers a ping after ").nth(1).unwrap();
    let ping: f64 = ping.split("ms").next().unwrap().parse().unwrap();
    assert!((60.0..1_000.0).contains(&ping), "{error}");
    let advised = error.split("set the timeout to at least ").nth(1).unwrap();
    let advised: f64 = advised.split("ms").next().unwrap().parse().unwrap();
    assert!(advised >= 180.0 && advised >= 2.9 * ping, "{error}");

    // Requests are refused at once, and always for this reason.
    let asked = Asked::with(limiter);
    let (began, mut asks, mut waited) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < Duration::from_millis(1_500) {
        let asking = Instant::now();
        let error = told(&asked.ask().await.unwrap_err());
        waited += asking.elapsed();
        assert!(error.contains("set the timeout to at least"), "{error}");
        asks += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(waited / asks < Duration::from_millis(5), "{:?}", waited / asks);
    assert_eq!(server.scripts_run(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_distant_server_serves_with_a_longer_timeout() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let relay = Relay::to_distant(server.port(), DISTANCE).await;
    let builder = RedisLimiter::builder(&relay.url()).timeout(Duration::from_millis(1_000));
    let asked = Asked::with(builder.build().unwrap());
    asked.limiter().check().await.unwrap();
    for _ in 0..10 {
        asked.ask().await.unwrap();
    }
    assert_eq!(server.scripts_run(), 10);
}
