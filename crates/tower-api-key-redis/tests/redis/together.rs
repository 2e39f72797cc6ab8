//! Requests that share a call of the script: each is charged as by itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota};
use tower_api_key_redis::RedisLimiter;

use crate::server::with_each_program;
use crate::{Redis, TURNS, fresh_prefix};

const MINUTE: Duration = Duration::from_secs(60);
const ACCOUNTS: u64 = 48;

fn record(account: u64) -> KeyRecord {
    let account = Account::builder(format!("account_{account}")).build().unwrap();
    KeyRecord::builder("key_1", account).build().unwrap()
}

/// Returns the quotas of an account: one to three, in all orders of algorithms and subjects.
fn quotas(account: u64) -> Vec<Quota> {
    let quota = |name, number: u64| {
        let algorithm = Algorithm::ALL[usize::try_from(number % 5).unwrap()];
        let per = if number.is_multiple_of(3) { Per::Key } else { Per::Account };
        Quota::new(name, 7, MINUTE).with_algorithm(algorithm).with_per(per)
    };
    let all = [quota("a", account), quota("b", account / 5), quota("c", account / 2)];
    all.into_iter().take(1 + usize::try_from(account % 3).unwrap()).collect()
}

/// Charges requests of an account one by one, in memory and in Redis, and compares the verdicts.
async fn agree(redis: RedisLimiter, account: u64) {
    let (memory, record, quotas) = (MemoryLimiter::new(), record(account), quotas(account));
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    let (caller, mode) = (Caller::Key(&record), ChargeMode::IfAllowed);
    for number in 0..20 {
        let now = Timestamp::from_unix_seconds(1_795_600_000 + 7 * number);
        let charge =
            Charge { caller, quotas, cost: 1 + u32::try_from(account % 2).unwrap(), mode, now };
        let (here, there) = (memory.charge(charge).await, redis.charge(charge).await);
        let (here, there) = (here.unwrap(), there.unwrap());
        assert_eq!(there.statuses(), here.statuses(), "{account} {number}");
        assert_eq!(there.retry_after(), here.retry_after(), "{account} {number}");
        assert_eq!(there.taken_at(), here.taken_at(), "{account} {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_share_calls_are_charged_as_in_memory() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        let server = Redis::start_program(&program, &[]);
        let limiter = server.limiter().on_request_time().build().unwrap();
        limiter.check().await.unwrap();
        let mut accounts = JoinSet::new();
        for account in 0..ACCOUNTS {
            accounts.spawn(agree(limiter.clone(), account));
        }
        while let Some(ended) = accounts.join_next().await {
            ended.unwrap();
        }
        let (charges, calls) = (20 * ACCOUNTS, server.scripts_run());
        println!("{}: {charges} charges in {calls} calls", program.display());
        assert!(calls < charges * 3 / 4, "{calls}");
    })
    .await;
}

/// Charges one request of each account at the same time, and returns what went wrong for each.
async fn charge_all(limiter: &RedisLimiter) -> Vec<Option<String>> {
    let mut requests = JoinSet::new();
    for account in 0..ACCOUNTS {
        let (limiter, record) = (limiter.clone(), record(account));
        requests.spawn(async move {
            let quotas = [Quota::new("minute", 100, MINUTE)];
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let (mode, now) = (ChargeMode::IfAllowed, SystemClock.now());
            let caller = Caller::Key(&record);
            let charged = limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await;
            (account, charged.err().map(|error| crate::failover::told(&error)))
        });
    }
    let mut all = requests.join_all().await;
    all.sort();
    all.into_iter().map(|(_, fault)| fault).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_one_account_touches_no_other_of_its_call() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        let server = Redis::start_program(&program, &[]);
        let limiter = server.limiter().prefix("").build().unwrap();
        limiter.check().await.unwrap();
        let _: String = server.ask(&["SET", "2:{account_7}", "not a hash"]);
        let rounds = 10;
        for _ in 0..rounds {
            for (account, fault) in charge_all(&limiter).await.into_iter().enumerate() {
                let fault = fault.unwrap_or_default();
                assert_eq!(fault.contains("WRONGTYPE"), account == 7, "{account}: {fault}");
                assert!(account == 7 || fault.is_empty(), "{account}: {fault}");
            }
        }
        let calls = server.scripts_run();
        assert!(calls < rounds * ACCOUNTS * 3 / 4, "{calls} calls: few were shared");
        let quotas = [Quota::new("minute", 100, MINUTE)];
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        for account in (0..ACCOUNTS).filter(|account| *account != 7) {
            let (record, mode) = (record(account), ChargeMode::Peek);
            let (caller, now) = (Caller::Key(&record), SystemClock.now());
            let charge = Charge { caller, quotas, cost: 0, mode, now };
            let left = limiter.charge(charge).await.unwrap().statuses()[0].remaining();
            assert_eq!(u64::from(100 - left), rounds, "{account} is charged once for each request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_say_that_it_stands_alone_gets_a_call_for_each_request() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start_with(&["--rename-command", "HELLO", ""]) else { return };
    let Some(told) = Redis::start() else { return };
    let unknown = server.limiter().prefix(fresh_prefix()).build().unwrap();
    let separate = told.limiter().prefix(fresh_prefix()).separate_calls().build().unwrap();
    for (limiter, server) in [(unknown, &server), (separate, &told)] {
        limiter.check().await.unwrap();
        for _ in 0..5 {
            assert!(charge_all(&limiter).await.iter().all(Option::is_none));
        }
        assert_eq!(server.scripts_run(), 5 * ACCOUNTS);
    }
}

/// The order in which requests of one account are charged does not matter: exactly the limit passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_one_account_that_share_a_call_pass_up_to_the_limit() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    limiter.check().await.unwrap();
    let record = Arc::new(record(1));
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let (limiter, record) = (limiter.clone(), Arc::clone(&record));
        requests.spawn(async move {
            let quotas = [Quota::new("hour", 50, Duration::from_secs(3_600))];
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let (mode, now) = (ChargeMode::IfAllowed, SystemClock.now());
            let caller = Caller::Key(&record);
            let verdict = limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await;
            verdict.unwrap().retry_after().is_none()
        });
    }
    let passed = requests.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(passed, 50);
    assert!(server.scripts_run() < 150, "{}", server.scripts_run());
}
