//! Two processes on one database: what one revokes, the other refuses.

use std::convert::Infallible;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{Cached, KeyManager, NewKey};
use tower_api_key::{ApiKeyLayer, vendors};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::Postgres;

const REVOCATIONS: usize = 200;
/// A busy machine may hold up several rounds.
const ROUNDS: usize = 6;
const P99: Duration = Duration::from_millis(20);
const URL: &str = "TOWER_API_KEY_TEST_REVOKER";

fn nanoseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

/// The other process: revokes each key that it reads the id of, and says when it began and ended.
#[tokio::test]
async fn revoker() {
    let Ok(url) = env::var(URL) else { return };
    let store = SqlStore::connect(&url).await.unwrap();
    for id in std::io::stdin().lock().lines() {
        let began = nanoseconds();
        store.revoke(&id.unwrap(), "the other process").await.unwrap();
        println!("\nrevoked {began} {}", nanoseconds());
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_revokes_the_other_refuses() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let text = |number: usize| format!("secret-of-key-number-{number}");
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let keys = (0..ROUNDS * REVOCATIONS).map(|number| {
        let record = KeyRecord::builder(format!("key_{number}"), Arc::clone(&account));
        NewKey::new(KeyHasher::sha256().digest(text(number).as_bytes()), record.build().unwrap())
    });
    database.import(keys.collect(), "test").await.unwrap();
    let cache = Cached::new(database.clone());
    tokio::spawn(cache.listen(database.invalidations().unwrap()));
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, cache).assume_https();
    let service =
        gate.without_limits().build().unwrap().layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let status = |number: usize| {
        let bearer = format!("Bearer {}", text(number));
        let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
        let answer = service.clone().oneshot(request);
        async move { answer.await.unwrap().status().as_u16() }
    };

    let mut other = Command::new(env::current_exe().unwrap())
        .args(["--exact", "fleet::revoker", "--nocapture", "--test-threads=1"])
        .env(URL, server.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut orders = other.stdin.take().unwrap();
    let mut said = BufReader::new(other.stdout.take().unwrap()).lines();
    let mut refused_in_time = false;
    for round in 0..ROUNDS {
        let mut delays = Vec::new();
        for number in round * REVOCATIONS..(round + 1) * REVOCATIONS {
            assert_eq!(status(number).await, 200, "key_{number} serves, and is kept now");
            writeln!(orders, "key_{number}").unwrap();
            let give_up = tokio::time::Instant::now() + Duration::from_secs(10);
            while status(number).await == 200 {
                assert!(tokio::time::Instant::now() < give_up, "key_{number} serves on");
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
            let refused = nanoseconds();
            let line =
                said.find_map(|line| line.unwrap().strip_prefix("revoked ").map(str::to_owned));
            let line = line.unwrap();
            let (began, ended) = line.split_once(' ').unwrap();
            let (began, ended): (u128, u128) = (began.parse().unwrap(), ended.parse().unwrap());
            delays.push((refused - began, refused.saturating_sub(ended)));
        }
        if report(&delays) < P99 {
            refused_in_time = true;
            break;
        }
    }
    drop(orders);
    assert!(other.wait().unwrap().success());
    assert!(refused_in_time, "99 of 100 are refused within {P99:?}, in one of {ROUNDS} rounds");
}

/// Prints how long it took until a key was refused, since its revocation began and since it was done. Returns
/// the 99th percentile of the latter.
fn report(delays: &[(u128, u128)]) -> Duration {
    let mut p99 = Duration::ZERO;
    for (name, pick) in [
        ("begun", (|it: &(u128, u128)| it.0) as fn(&(u128, u128)) -> u128),
        ("done", |it: &(u128, u128)| it.1),
    ] {
        let mut sorted: Vec<u128> = delays.iter().map(pick).collect();
        sorted.sort_unstable();
        let at = |share: usize| {
            Duration::from_nanos(u64::try_from(sorted[sorted.len() * share / 100]).unwrap())
        };
        println!(
            "{REVOCATIONS} revocations, refused after it was {name}: p50 {:?}, p99 {:?}",
            at(50),
            at(99)
        );
        assert!(at(50) < Duration::from_millis(100), "typically well under 100 ms");
        p99 = at(99);
    }
    p99
}
