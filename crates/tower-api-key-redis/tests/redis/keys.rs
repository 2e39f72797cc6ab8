//! What lies in Redis: where, for how long, and what is lost with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota, Verdict};
use tower_api_key_redis::RedisLimiter;

use crate::{Redis, TURNS};

const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow];

fn record(account: &str, key: &str) -> KeyRecord {
    let account = Arc::new(Account::builder(account).build().unwrap());
    KeyRecord::builder(key, account).build().unwrap()
}

async fn charge(
    limiter: &RedisLimiter,
    record: &KeyRecord,
    quotas: &[Quota],
    (cost, mode): (u32, ChargeMode),
) -> Verdict {
    let quotas = AppliedQuotas { general: quotas, route: &[] };
    let now = SystemClock.now();
    limiter.charge(Charge { caller: Caller::Key(record), quotas, cost, mode, now }).await.unwrap()
}

pub(super) fn keys(server: &Redis) -> Vec<String> {
    let mut keys: Vec<String> = server.ask(&["KEYS", "*"]);
    keys.sort();
    keys
}

#[tokio::test]
async fn every_key_goes_when_its_last_window_is_over() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in ALGORITHMS {
        let limiter = server.limiter().build().unwrap();
        let record = record("acme", "key_1");
        let quota = |name, limit, seconds, per| {
            Quota::new(name, limit, Duration::from_secs(seconds))
                .with_algorithm(algorithm)
                .with_per(per)
        };
        let quotas = [
            quota("short", 100, 10, Per::Account),
            quota("long", 100, 3_600, Per::Account),
            quota("key", 10, 60, Per::Key),
        ];
        let ttl = |key: &str| -> u64 { server.ask(&["PTTL", key]) };
        let (account, key) = ("tower-api-key:2:{acme}", "tower-api-key:2:{acme}:key:key_1");

        charge(&limiter, &record, &quotas, (1, ChargeMode::Peek)).await;
        assert!(keys(&server).is_empty(), "a peek keeps nothing");

        charge(&limiter, &record, &quotas, (5, ChargeMode::IfAllowed)).await;
        assert_eq!(keys(&server), [account, key]);
        let (expected, of_key) = match algorithm {
            Algorithm::LeakyBucket => (3_600_000 / 20, 30_000),
            Algorithm::SlidingWindow => (3_900_000, 65_000),
            _ => (3_600_000, 60_000),
        };
        let slack = if algorithm == Algorithm::SlidingWindow { expected / 12 } else { 0 };
        assert!((expected - slack - 2_000..=expected + 1_001).contains(&ttl(account)));
        assert!((of_key - of_key / 12 - 2_000..=of_key + 1_001).contains(&ttl(key)));

        // A request under the short quota alone takes nothing from the life of the long one.
        charge(&limiter, &record, &quotas[..1], (1, ChargeMode::IfAllowed)).await;
        assert!(ttl(account) >= expected - slack - 2_000);
        // Nor does one that is refused, or a look; and none makes a key that stays for ever.
        charge(&limiter, &record, &quotas, (200, ChargeMode::IfAllowed)).await;
        charge(&limiter, &record, &quotas, (0, ChargeMode::Peek)).await;
        for key in keys(&server) {
            assert!((1..=expected + 1_001).contains(&ttl(&key)), "{key}: {}", ttl(&key));
        }
        let () = server.ask(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn a_window_really_ends() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in ALGORITHMS {
        let limiter = server.limiter().build().unwrap();
        let record = record("acme", "key_1");
        let quotas = [Quota::new("second", 2, Duration::from_secs(1)).with_algorithm(algorithm)];
        let passes = async || {
            let verdict = charge(&limiter, &record, &quotas, (1, ChargeMode::IfAllowed)).await;
            verdict.retry_after()
        };
        assert_eq!((passes().await, passes().await), (None, None));
        let wait = passes().await.unwrap();
        assert!(wait <= Duration::from_millis(1_084), "{algorithm:?}: {wait:?}");
        tokio::time::sleep(wait).await;
        assert_eq!(passes().await, None, "{algorithm:?}");
        tokio::time::sleep(Duration::from_millis(2_200)).await;
        assert!(keys(&server).is_empty(), "{algorithm:?}");
    }
}

/// Charges nine requests one by one, each after something was done to the server.
async fn each_is_charged_once_after(command: &[&str]) {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let (record, quotas) = (record("acme", "key_1"), [Quota::new("m", 9, Duration::from_secs(60))]);
    for left in (0..9).rev() {
        let verdict = charge(&limiter, &record, &quotas, (1, ChargeMode::IfAllowed)).await;
        assert_eq!(verdict.statuses()[0].remaining(), left);
        let _: redis::Value = server.ask(command);
    }
}

#[tokio::test]
async fn a_server_that_lost_its_scripts_is_told_them_again() {
    each_is_charged_once_after(&["SCRIPT", "FLUSH"]).await;
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again() {
    each_is_charged_once_after(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
}

#[tokio::test]
async fn counters_of_plans_that_are_over_make_room() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let record = record("acme", "key_1");
    for number in 0..300 {
        let name = format!("plan_{number}");
        let quotas = [
            Quota::named(name, 1_000, Duration::from_secs(1))
                .with_algorithm(Algorithm::LeakyBucket),
            Quota::new("hour", 1_000, Duration::from_secs(3_600)),
        ];
        charge(&limiter, &record, &quotas, (1, ChargeMode::IfAllowed)).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let fields: usize = server.ask(&["HLEN", "tower-api-key:2:{acme}"]);
    assert!(fields < 80, "{fields}");
    let hour = [Quota::new("hour", 1_000, Duration::from_secs(3_600))];
    let verdict = charge(&limiter, &record, &hour, (0, ChargeMode::Peek)).await;
    assert_eq!(verdict.statuses()[0].remaining(), 700);
}

/// A cluster refuses a script whose keys lie in several slots, or elsewhere.
#[tokio::test]
async fn a_cluster_finds_all_keys_of_a_request_in_one_slot() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start_with(&["--cluster-enabled", "yes"]) else { return };
    server.takes_all_slots();
    while !server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let limiter = server.cluster_limiter().build().unwrap();
    let quotas = [
        Quota::new("account", 5, Duration::from_secs(60)),
        Quota::new("key", 5, Duration::from_secs(60)).with_per(Per::Key),
    ];
    let accounts = ["acme", "}", "{}", "{", "a}b", "}{", "%7D", "{a}{b}", "a{b}c"];
    for account in accounts {
        for key in ["key_1", "{other}"] {
            charge(&limiter, &record(account, key), &quotas, (1, ChargeMode::IfAllowed)).await;
        }
    }
    let keys = keys(&server);
    assert_eq!(keys.len(), accounts.len() * 3, "{keys:?}");
    let slot = |key: &str| -> u32 { server.ask(&["CLUSTER", "KEYSLOT", key]) };
    for three in keys.chunks(3) {
        let slots: Vec<u32> = three.iter().map(|key| slot(key)).collect();
        assert!(slots[0] == slots[1] && slots[1] == slots[2], "{three:?}: {slots:?}");
    }
}

#[tokio::test]
async fn a_master_that_became_a_replica_fails_and_is_found_again() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let (record, quotas) = (record("acme", "key_1"), [Quota::new("m", 9, Duration::from_secs(60))]);
    charge(&limiter, &record, &quotas, (1, ChargeMode::IfAllowed)).await;
    let () = server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let ask = async || {
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let (record, mode, now) = (&record, ChargeMode::IfAllowed, SystemClock.now());
        limiter.charge(Charge { caller: Caller::Key(record), quotas, cost: 1, mode, now }).await
    };
    for _ in 0..10 {
        assert!(ask().await.is_err());
    }
    let () = server.ask(&["REPLICAOF", "NO", "ONE"]);
    let began = Instant::now();
    while ask().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it is never found");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_error_of_the_server_names_no_account() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let () = server.ask(&["SET", "tower-api-key:2:{acme-canary}", "no hash"]);
    let record = record("acme-canary", "key_1");
    let quotas = [Quota::new("minute", 5, Duration::from_secs(60))];
    let charge = Charge {
        caller: Caller::Key(&record),
        quotas: AppliedQuotas { general: &quotas, route: &[] },
        cost: 1,
        mode: ChargeMode::IfAllowed,
        now: SystemClock.now(),
    };
    let error = limiter.charge(charge).await.unwrap_err();
    let mut told = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        told = format!("{told} {source}");
        cause = source.source();
    }
    assert!(!told.contains("canary"), "{told}");
    assert!(told.contains("WRONGTYPE"), "{told}");
}
