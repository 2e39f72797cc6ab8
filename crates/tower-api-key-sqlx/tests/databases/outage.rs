//! A gate whose PostgreSQL is killed under load, and started again.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{Cached, KeyManager, KeyStore, NewKey};
use tower_api_key::{ApiKeyLayer, vendors};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::Postgres;

/// What the keys of the test are answered while the database is there.
const KEYS: [(&str, u16); 3] =
    [("a-good-key-of-acme", 200), ("a-revoked-key-of-acme", 401), ("a-key-that-nobody-knows", 401)];

/// Asks a gate with each key, over and over, until the end; returns how often each was answered what.
async fn load(gate: ApiKeyLayer, end: Instant) -> BTreeMap<(&'static str, u16), usize> {
    let service = gate.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let mut tasks = Vec::new();
    for (key, _) in KEYS {
        for _ in 0..4 {
            let service = service.clone();
            tasks.push(tokio::spawn(async move {
                let mut statuses: BTreeMap<_, usize> = BTreeMap::new();
                while Instant::now() < end {
                    let bearer = format!("Bearer {key}");
                    let request = Request::get("/").header("authorization", bearer);
                    let answer = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
                    *statuses.entry((key, answer.status().as_u16())).or_default() += 1;
                    // What is answered from memory leaves the others their turn.
                    tokio::task::yield_now().await;
                }
                statuses
            }));
        }
    }
    let mut all: BTreeMap<_, usize> = BTreeMap::new();
    for task in tasks {
        for (answer, count) in task.await.unwrap() {
            *all.entry(answer).or_default() += count;
        }
    }
    all
}

/// Kills the server under load and starts it again. A good key is answered 200 or 503 all the while,
/// and the others 401 or 503.
async fn is_survived(name: &str, before: impl FnOnce(SqlStore) -> Arc<dyn KeyStore>) {
    let Some(mut server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    for (key, revoked) in [(KEYS[0].0, false), (KEYS[1].0, true)] {
        let record = KeyRecord::builder(key, Arc::clone(&account)).revoked(revoked).build();
        let digest = KeyHasher::sha256().digest(key.as_bytes());
        database.add(NewKey::new(digest, record.unwrap()), "test").await.unwrap();
    }
    let store = before(database.clone());
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).assume_https();
    let gate = gate.without_limits().build().unwrap();
    let loaded = tokio::spawn(load(gate, Instant::now() + Duration::from_secs(9)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.kill();
    // Longer than a lookup waits for a connection.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    server.start_again();
    let restarted = Instant::now();
    let digest = KeyHasher::sha256().digest(KEYS[0].0.as_bytes());
    while database.find(&digest).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!(
        "{name}: answers {:?} after PostgreSQL accepts connections again",
        restarted.elapsed()
    );
    let answers = loaded.await.unwrap();
    println!("{name}: {answers:?}");
    for ((key, status), count) in &answers {
        let expected = KEYS.iter().find(|(other, _)| other == key).unwrap().1;
        assert!([expected, 503].contains(status), "{key} was answered {status}, {count} times");
    }
    for (key, expected) in KEYS {
        assert!(answers[&(key, expected)] > 100, "{key} was answered as it should be");
    }
    let unavailable: usize =
        answers.iter().filter(|((_, status), _)| *status == 503).map(|(_, count)| count).sum();
    assert!(unavailable > 0, "the outage was none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_is_survived() {
    is_survived("PostgreSQL", |database| Arc::new(database)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_behind_a_cache_is_survived() {
    is_survived("PostgreSQL behind a cache", |database| {
        let cache = Cached::builder(database.clone()).staleness(Duration::from_secs(1)).build();
        tokio::spawn(cache.listen(database.invalidations().unwrap()));
        Arc::new(cache)
    })
    .await;
}
