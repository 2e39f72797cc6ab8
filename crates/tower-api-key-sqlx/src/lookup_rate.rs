//! Measures the rate of lookups in PostgreSQL against `pgbench` with the same prepared statement on the same server.
//!
//! `cargo test --release -p tower-api-key-sqlx --all-features --lib lookup_rate -- --ignored --nocapture`
//!
//! `pgbench` has a connection for each caller. Our lookups have 4, and those that wait for one share a statement. `pgbench`
//! lets the server compute the digest of a random key, which our lookups do not. Both measurements take turns, so that a
//! busy machine slows down both.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::SqlStore;
use super::plan::folder::Folder;
use super::plan::postgres::Postgres;
use super::statement::Statement;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{KeyManager, KeyStore, NewKey};

const KEYS: u64 = 100_000;
const SECONDS: u64 = 3;
const ROUNDS: usize = 5;

/// The digest of a key, as [`DIGEST`] computes it.
fn digest(number: u64) -> KeyDigest {
    let mut digest = [0; 32];
    digest[24..].copy_from_slice(&number.to_be_bytes());
    KeyDigest::from_bytes(digest)
}

const DIGEST: &str = "decode(lpad(to_hex(CAST(:key AS BIGINT)), 64, '0'), 'hex')";

fn key(number: u64) -> NewKey {
    let account = Account::builder(format!("account_{}", number / 10)).scopes(["read"]).build();
    let record = KeyRecord::builder(format!("key_{number}"), account.unwrap()).name("Worker");
    NewKey::new(digest(number), record.environment("live").build().unwrap())
}

/// Returns the lookups a second of this number of tasks.
async fn rate(store: &SqlStore, callers: u64) -> f64 {
    let (ended, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = tokio::task::JoinSet::new();
    let began = Instant::now();
    for caller in 0..callers {
        let (store, ended, over) = (store.clone(), Arc::clone(&ended), Arc::clone(&over));
        tasks.spawn(async move {
            let mut number = caller;
            while !over.load(Ordering::Relaxed) {
                // A generator whose multiplier and increment reach each number.
                number = (number * 21 + 7_919) % KEYS;
                assert!(store.find(&digest(number)).await.unwrap().is_some());
                ended.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    over.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let ended = u32::try_from(ended.load(Ordering::Relaxed)).unwrap();
    f64::from(ended) / began.elapsed().as_secs_f64()
}

/// Returns the transactions a second of `pgbench`.
fn pgbench(server: &Postgres, script: &str, callers: u64) -> f64 {
    let (callers, seconds) = (callers.to_string(), SECONDS.to_string());
    let ran = Command::new(server.program("pgbench"))
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &callers, "-T", &seconds, "-f", script])
        .args(["-h", "127.0.0.1", "-U", "test", "-p", &server.port().to_string(), "postgres"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    let rate = text.split("tps = ").nth(1).and_then(|rest| rest.split(' ').next());
    let Some(rate) = rate else { panic!("{text}{}", String::from_utf8_lossy(&ran.stderr)) };
    rate.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute, and says what rate lookups have"]
async fn lookups_are_measured_against_pgbench() {
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    store.import((0..KEYS).map(key).collect(), "test").await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("VACUUM ANALYZE")).await.unwrap();
    drop(connection);
    let folder = Folder::new();
    let path = folder.path().join("find.sql");
    let find = store.queries.find.as_str().replace("$1", DIGEST);
    fs::write(&path, format!("\\set key random(0, {})\n{find};\n", KEYS - 1)).unwrap();
    for callers in [10, 64] {
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let plain = pgbench(&server, path.to_str().unwrap(), callers);
            let ours = rate(&store, callers).await;
            println!("{callers} callers, a second: {ours:.0} lookups, {plain:.0} of pgbench");
            ratios.push(ours / plain);
        }
        ratios.sort_by(f64::total_cmp);
        println!("{callers} callers: {:.2} of the rate of pgbench", ratios[ROUNDS / 2]);
    }
}
