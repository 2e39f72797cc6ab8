//! Limits in a Redis Cluster of six nodes: slots that move, primaries that die or freeze.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter};
use tower_api_key::key::{Account, AccountId, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
use tower_api_key::quota::{AppliedQuotas, Per, Quota, Verdict};
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::clustered::{Clustered, slot};
use crate::failover::told;
use crate::server::with_each_program;
use crate::{Redis, TURNS};

const LIMIT: u32 = 1_000_000;
/// A busy machine's time.
const PATIENT: Duration = Duration::from_secs(5);

fn record(account: &str) -> KeyRecord {
    let account = Arc::new(Account::builder(account).build().unwrap());
    KeyRecord::builder("key_1", account).build().unwrap()
}

fn quotas(per: Per) -> [Quota; 1] {
    [Quota::new("hour", LIMIT, Duration::from_secs(3_600)).with_per(per)]
}

async fn charge(
    limiter: &RedisLimiter,
    record: &KeyRecord,
    quotas: &[Quota],
    cost: u32,
) -> Result<Verdict, LimiterError> {
    let quotas = AppliedQuotas { general: quotas, route: &[] };
    let mode = if cost == 0 { ChargeMode::Peek } else { ChargeMode::IfAllowed };
    let now = SystemClock.now();
    limiter.charge(Charge { caller: Caller::Key(record), quotas, cost, mode, now }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn each_account_counts_on_its_primary_and_one_node_alone_is_an_error() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        let cluster = Clustered::start(&program);
        // Before: 194 of 300 accounts were refused for ever.
        let alone =
            RedisLimiter::builder(&cluster.nodes[0].url()).timeout(PATIENT).build().unwrap();
        let error = told(&alone.check().await.unwrap_err());
        assert!(error.contains("one node of a Redis Cluster"), "{error}");
        assert!(error.contains("`RedisLimiter::cluster`"), "{error}");
        let error = alone.check_configuration().await.unwrap_err().to_string();
        assert!(error.contains("`cluster = true`"), "{error}");
        let error = charge(&alone, &record("acme"), &quotas(Per::Account), 1).await.unwrap_err();
        assert!(told(&error).contains("one node of a Redis Cluster"), "{}", told(&error));

        let limiter = cluster.limiter().timeout(PATIENT).build().unwrap();
        limiter.check().await.unwrap();
        limiter.check_configuration().await.unwrap();
        let leased = cluster.limiter().timeout(PATIENT).lease(Lease::new()).build().unwrap();
        for number in 0..300 {
            let record = record(&format!("account-{number}"));
            for limiter in [&limiter, &leased] {
                charge(limiter, &record, &quotas(Per::Account), 1).await.unwrap();
            }
        }
        let keys: u64 = cluster.nodes[..3].iter().map(|node| node.ask::<u64>(&["DBSIZE"])).sum();
        assert_eq!(keys, 300);
        // Permits and their release.
        let concurrency = limiter.concurrency();
        for primary in 0..3 {
            let account = AccountId::new(cluster.accounts(primary).next().unwrap()).unwrap();
            let rule = Concurrency::new(1);
            let entry = || Acquire { account: &account, route: "POST /jobs", rule };
            let permit = concurrency.acquire(entry()).await.unwrap().expect("there is a permit");
            assert!(concurrency.acquire(entry()).await.unwrap().is_none());
            drop(permit);
            let began = Instant::now();
            while concurrency.acquire(entry()).await.unwrap().is_none() {
                assert!(began.elapsed() < PATIENT, "it is not given back");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        // A server that is no node.
        let single = Redis::start_program(&program, &[]);
        let error = single.cluster_limiter().build().unwrap().check().await.unwrap_err();
        assert!(told(&error).contains("not a node of a Redis Cluster"), "{}", told(&error));
    })
    .await;
}

/// Slots go from node to node while accounts in them are charged. No charge fails, is lost, or counts twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn slots_move_under_load() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        let cluster = Clustered::start(&program);
        let first = cluster.accounts(0).next().unwrap();
        let moving = slot(&first);
        let accounts = (0..).map(|number| format!("account-{number}"));
        let accounts: Vec<String> =
            accounts.filter(|account| slot(account) == moving).take(3).collect();
        let limiter = cluster.limiter().timeout(PATIENT).build().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        for account in &accounts {
            let [[of_account], [of_key]] = [Per::Account, Per::Key].map(quotas);
            let name = |quota: Quota, name: &'static str| {
                Quota::new(name, LIMIT, Duration::from_secs(3_600)).with_per(quota.per())
            };
            // Two Redis keys, which are on two nodes for a while.
            let both = vec![name(of_account.clone(), "both"), name(of_key.clone(), "both by key")];
            for quotas in [vec![of_account], vec![of_key], both] {
                let (limiter, record) = (limiter.clone(), record(account));
                let is_over = Arc::clone(&is_over);
                clients.push(tokio::spawn(async move {
                    let mut passed = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let charged = charge(&limiter, &record, &quotas, 1).await;
                        assert!(charged.unwrap().retry_after().is_none());
                        passed += 1;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    let left = charge(&limiter, &record, &quotas, 0).await.unwrap();
                    (passed, LIMIT - left.statuses()[0].remaining())
                }));
            }
        }
        let mover = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(50));
            for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                cluster.moves(moving, from, to);
            }
            cluster
        });
        let _cluster = mover.await.unwrap();
        is_over.store(true, Ordering::Relaxed);
        for client in clients {
            let (passed, counted) = client.await.unwrap();
            println!("{passed} passed");
            assert!(passed > 10);
            assert_eq!(passed, counted);
        }
    })
    .await;
}

/// What clients of a primary's accounts saw.
#[derive(Default)]
struct Seen {
    passed: AtomicU64,
    failed: AtomicU64,
    times: std::sync::Mutex<Vec<Duration>>,
}

impl Seen {
    /// Returns how many passed, how many failed, and the time within which 99 % were answered.
    fn take(&self) -> (u64, u64, Duration) {
        let mut times = std::mem::take(&mut *self.times.lock().unwrap());
        times.sort_unstable();
        let p99 = times.get(times.len().saturating_sub(1) * 99 / 100).copied();
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.passed), take(&self.failed), p99.unwrap_or_default())
    }
}

/// Starts clients of each primary's accounts.
fn clients(cluster: &Clustered, limiter: &RedisLimiter) -> Vec<Arc<Seen>> {
    let primaries = (0..3).map(|primary| {
        let seen = Arc::new(Seen::default());
        for account in cluster.accounts(primary).take(4) {
            let (limiter, record, seen) =
                (limiter.clone(), record(&account), Arc::downgrade(&seen));
            tokio::spawn(async move {
                while let Some(seen) = seen.upgrade() {
                    let began = Instant::now();
                    let charged = charge(&limiter, &record, &quotas(Per::Account), 1).await;
                    seen.times.lock().unwrap().push(began.elapsed());
                    let count = if charged.is_ok() { &seen.passed } else { &seen.failed };
                    count.fetch_add(1, Ordering::Relaxed);
                    drop(seen);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }
        seen
    });
    primaries.collect()
}

/// Waits until the clients of an account pass again.
async fn pass_again(seen: &Seen) {
    let began = Instant::now();
    seen.take();
    while seen.take().0 < 20 {
        assert!(began.elapsed() < Duration::from_secs(20), "they never pass again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_freezes_or_dies_refuses_its_accounts_only_until_its_replica_takes_over() {
    let _turn = TURNS.write().await;
    let Some(program) = Redis::programs().into_iter().next() else { return };
    let mut cluster = Clustered::start(&program);
    // More than a busy machine's pauses, and less than a failover takes.
    let limiter = cluster.limiter().timeout(Duration::from_millis(200)).build().unwrap();
    limiter.check().await.unwrap();
    let seen = clients(&cluster, &limiter);
    for (primary, freezes) in [(0, true), (1, false)] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for seen in &seen {
            seen.take();
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        let before: Vec<_> = seen.iter().map(|seen| seen.take()).collect();
        assert!(before.iter().all(|(passed, failed, _)| *passed > 50 && *failed == 0));
        if freezes {
            cluster.nodes[primary].signal("STOP");
        } else {
            cluster.nodes[primary].kill();
        }
        let began = Instant::now();
        if freezes {
            // A process that starts now does not wait for it.
            let urls = [0, 2].map(|index| cluster.nodes[index].url());
            let late = RedisLimiter::cluster(urls).timeout(Duration::from_millis(400)).build();
            let account = record(&cluster.accounts(2).next().unwrap());
            charge(&late.unwrap(), &account, &quotas(Per::Account), 1).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(900)).await;
        let during: Vec<_> = seen.iter().map(|seen| seen.take()).collect();
        println!("{freezes}, before and during: {before:?}, {during:?}");
        for (index, (passed, failed, p99)) in during.into_iter().enumerate() {
            if index == primary {
                // At once, once it is known.
                assert!(failed > 50, "{failed}");
            } else {
                assert!(failed == 0 && passed > 100, "{passed} {failed}");
                assert!(p99 < Duration::from_millis(100), "{p99:?}");
            }
        }
        pass_again(&seen[primary]).await;
        println!("{freezes}: passed again after {:.1?}", began.elapsed());
        if freezes {
            // It still believes that it is a primary.
            cluster.nodes[primary].signal("CONT");
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(seen.iter().all(|seen| seen.take().1 < 20));
        }
    }
}
