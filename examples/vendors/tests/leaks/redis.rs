//! What a limiter in Redis tells its server: who is charged, and never of which key's text.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::KeyRecord;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, vendors};
use tower_api_key_redis::{Lease, RedisLimiterBuilder};

use crate::canary::{Canary, printed};
use crate::redis_server::Redis;
use crate::support::{account, anonymous, reason, text};
use crate::traced;
use crate::vendors::Log;

/// Writes down every command that the server is sent from now on.
fn monitor(server: &Redis) -> Arc<Mutex<String>> {
    let address = server.url().replace("redis://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"MONITOR\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "+OK");
    let heard = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&heard);
    thread::spawn(move || {
        // Until the server is gone.
        while let Some(Ok(line)) = lines.next() {
            *written.lock().unwrap() += &(line + "\n");
        }
    });
    heard
}

/// Returns what was heard up to a last word.
fn heard_by(server: &Redis, heard: &Mutex<String>) -> String {
    let give_up = Instant::now() + Duration::from_secs(10);
    let _: String = server.ask(&["ECHO", "the last word"]);
    loop {
        let text = heard.lock().unwrap().clone();
        if text.contains("the last word") {
            return text;
        }
        assert!(Instant::now() < give_up, "the server says nothing: {text}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_shows_a_key_or_a_digest() {
    traced::write_down();
    let Some(mut server) = Redis::start() else { return };
    let heard = monitor(&server);
    let [canary, stranger, late] = [(); 3].map(|()| Canary::new("canary_", 40));
    let hour = Quota::new("hour", 3, Duration::from_secs(3_600));
    let store = MemoryStore::new();
    for (key, id) in [(&canary, "acme"), (&late, "beta")] {
        let record = KeyRecord::builder(id, account(id)).quotas([hour.clone()]).build().unwrap();
        store.add_now(key.digest(), record);
    }
    let log = Log::default();
    let mut seen = Vec::new();
    for lease in [None, Some(Lease::new())] {
        let limiter = server.limiter().prefix(format!("{}:", lease.is_some()));
        let limiter = lease.into_iter().fold(limiter, RedisLimiterBuilder::lease);
        let limiter = limiter.build().unwrap();
        let place = Route::new().concurrency(Concurrency::new(1));
        let places = limiter.concurrency();
        let layer = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store.clone())
            .routes(Routes::new().on(&[], "/", Route::new()).on(&[], "/place", place))
            .concurrency(places, OnLimiterFailure::Deny)
            .limits(limiter.clone(), OnLimiterFailure::Deny)
            .observer(log.clone())
            .build()
            .unwrap();
        let gate = layer.layer(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<bytes::Bytes>::default()))
        }));
        let mut out = printed(&limiter) + &printed(&limiter.concurrency()) + &printed(&layer);
        for (key, path) in [
            (&canary, "/"),
            (&stranger, "/"),
            (&canary, "/place"),
            (&canary, "/"),
            (&canary, "/"),
            (&canary, "/place"),
        ] {
            let mut request = anonymous(http::Method::GET, path);
            let line = format!("Bearer {}", key.key).parse().unwrap();
            request.headers_mut().insert("authorization", line);
            let response = gate.clone().oneshot(request).await.unwrap();
            seen.push(reason(&response));
            out += &(printed(&response) + &text(response).await);
        }
        let commands = heard_by(&server, &heard).to_ascii_lowercase();
        assert!(commands.contains("evalsha") && commands.contains("acme"), "{commands}");
        if lease.is_some() {
            // What fails is told to the observer.
            server.kill();
            let mut request = anonymous(http::Method::GET, "/");
            let line = format!("Bearer {}", late.key).parse().unwrap();
            request.headers_mut().insert("authorization", line);
            let response = gate.clone().oneshot(request).await.unwrap();
            assert_eq!(reason(&response), "limiter_unavailable");
            out += &printed(&response);
        }
        for canary in [&canary, &stranger, &late] {
            canary.is_not_in(&commands, "a command");
            canary.is_not_in(&(out.clone() + &log.0.lock().unwrap()), "what is printed");
            traced::shows_nothing_of(canary);
        }
    }
    for expected in ["admitted", "key_unknown", "rate_limited"] {
        assert!(seen.contains(&expected), "{seen:?}");
    }
    assert!(log.0.lock().unwrap().contains("the limiter failed"));
}
