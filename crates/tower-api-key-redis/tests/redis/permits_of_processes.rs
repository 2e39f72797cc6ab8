//! Permits that a process leaves behind when it dies.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use http::Method;
use tower_api_key::ApiKeyLayer;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Route, Routes};
use tower_api_key_redis::RedisLimiter;

use crate::Redis;
use crate::support::{PROFILE, Service, greeting, reason, request, send, store};

const PERMITS: u32 = 3;
const LEASE: Duration = Duration::from_secs(2);
/// Says to the process that holds permits where the server is.
const URL: &str = "TOWER_API_KEY_TEST_REDIS";

/// A gate whose one route has three permits.
fn gate(url: &str) -> Service {
    let limiter = RedisLimiter::builder(url).timeout(Duration::from_secs(20)).permit_lease(LEASE);
    let limiter = limiter.build().unwrap();
    let route = Route::new().concurrency(Concurrency::new(PERMITS));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .routes(Routes::new().on(&[Method::POST], "/jobs", route))
        .concurrency(limiter.concurrency(), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    greeting(&layer)
}

async fn ask(service: &Service) -> &'static str {
    reason(&send(service, request(Method::POST, "/jobs")).await)
}

/// A process that is killed with the test.
struct Process(Child);

impl Process {
    /// Starts this very program, to hold all permits until it dies.
    fn holding(url: &str) -> Self {
        let name = "permits_of_processes::holds_all_permits_until_it_is_killed";
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture", "--test-threads", "1"])
            .env(URL, url)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let says_so = |line: Result<String, _>| line.unwrap().contains("all permits are held");
        assert!(lines.any(says_so), "it ended without a word");
        // What else it says is not to stop it.
        thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    /// Kills it with SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn holds_all_permits_until_it_is_killed() {
    let Ok(url) = env::var(URL) else { return };
    let service = gate(&url);
    let mut held = Vec::new();
    for _ in 0..PERMITS {
        let response = send(&service, request(Method::POST, "/jobs")).await;
        assert_eq!(reason(&response), "admitted");
        held.push(response);
    }
    println!("all permits are held");
    // Killed long before; should the test die itself, this does not stay behind for ever.
    tokio::time::sleep(Duration::from_secs(120)).await;
    drop(held);
}

#[tokio::test]
async fn permits_of_a_process_that_was_killed_come_back_after_the_lease() {
    let Some(server) = Redis::start() else { return };
    let url = server.url();
    let (ours, mut other) = (gate(&url), Process::holding(&url));
    let until = Instant::now() + 2 * LEASE;
    while Instant::now() < until {
        assert_eq!(
            ask(&ours).await,
            "concurrency_exceeded",
            "the other process renews its permits"
        );
        tokio::time::sleep(LEASE / 20).await;
    }
    other.kill();
    let died = Instant::now();
    let mut held = Vec::new();
    while held.len() < PERMITS as usize {
        let response = send(&ours, request(Method::POST, "/jobs")).await;
        if reason(&response) == "admitted" {
            held.push(response);
        } else {
            assert!(died.elapsed() < 2 * LEASE, "only {} permits came back", held.len());
            tokio::time::sleep(LEASE / 100).await;
        }
    }
    let took = died.elapsed();
    println!(
        "all {PERMITS} permits were free again {took:.2?} after the kill; the lease is {LEASE:?}"
    );
    // The last renewal was a third of the lease before the kill, or some more on a busy machine.
    assert!(took > LEASE / 4 && took <= LEASE + LEASE / 2, "{took:?}");
    assert_eq!(ask(&ours).await, "concurrency_exceeded", "and no more than there are");
}
