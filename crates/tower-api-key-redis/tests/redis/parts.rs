//! Scripts that have only the parts that a question needs: each set of algorithms, for each purpose.

use std::net::IpAddr;
use std::time::Duration;

use tower_api_key::caller::{Caller, ClientNetwork};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter, Refund};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota};
use tower_api_key_redis::Lease;

use crate::{Redis, TURNS, fresh_prefix};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_600_007);
const HOUR: Duration = Duration::from_secs(3_600);

/// Returns quotas of each set of algorithms.
fn all_sets() -> impl Iterator<Item = Vec<Quota>> {
    let all = Algorithm::ALL;
    (1..1_u32 << all.len()).map(move |set| {
        let chosen = all.into_iter().enumerate().filter(move |(bit, _)| set >> bit & 1 == 1);
        chosen.map(|(_, it)| Quota::new(it.name(), 40, HOUR).with_algorithm(it)).collect()
    })
}

fn record() -> KeyRecord {
    let account = Account::builder("acme").build().unwrap();
    KeyRecord::builder("key_1", account).build().unwrap()
}

#[tokio::test]
async fn each_set_of_algorithms_is_charged_and_refunded_as_in_memory() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let (record, network) = (record(), ClientNetwork::of(IpAddr::from([192, 0, 2, 7])));
    for quotas in all_sets() {
        let names: Vec<_> = quotas.iter().map(Quota::name).collect();
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        for caller in [Caller::Key(&record), Caller::Network(&network)] {
            let redis = server.limiter().prefix(fresh_prefix()).on_request_time().build().unwrap();
            let memory = MemoryLimiter::new();
            let mode = ChargeMode::IfAllowed;
            for (number, cost) in [30, 11, 9].into_iter().enumerate() {
                let now = NOW.plus(Duration::from_secs(u64::try_from(number).unwrap()));
                let charge = Charge { caller, quotas, cost, mode, now };
                let here = memory.charge(charge).await.unwrap();
                let there = redis.charge(charge).await.unwrap();
                assert_eq!(there.statuses(), here.statuses(), "{names:?} {cost}");
                assert_eq!(there.retry_after(), here.retry_after(), "{names:?} {cost}");
                if here.retry_after().is_none() {
                    let refund = |verdict| Refund { charge, verdict, cost: 2, now };
                    let here = memory.refund(refund(&here)).await.unwrap();
                    let there = redis.refund(refund(&there)).await.unwrap();
                    assert_eq!(there.statuses(), here.statuses(), "{names:?} refund of {cost}");
                }
            }
        }
    }
}

#[tokio::test]
async fn each_set_of_algorithms_is_leased_and_given_back() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let record = record();
    for quotas in all_sets() {
        let names: Vec<_> = quotas.iter().map(Quota::name).collect();
        let limiter = server.limiter().prefix(fresh_prefix()).lease(Lease::new()).build().unwrap();
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let (caller, mode) = (Caller::Key(&record), ChargeMode::IfAllowed);
        for passed in 0..20 {
            let charge = Charge { caller, quotas, cost: 1, mode, now: SystemClock.now() };
            let verdict = limiter.charge(charge).await.unwrap();
            assert_eq!(verdict.retry_after(), None, "{names:?} after {passed}");
        }
        limiter.give_back_all().await.unwrap();
        let cost = 1;
        let charge = Charge { caller, quotas, cost, mode, now: SystemClock.now() };
        let verdict = limiter.charge(charge).await.unwrap();
        let refund = Refund { charge, verdict: &verdict, cost, now: SystemClock.now() };
        limiter.refund(refund).await.unwrap();
    }
}

/// How often the server has run each command.
fn calls(server: &Redis, command: &str) -> u32 {
    let told: String = server.ask(&["INFO", "commandstats"]);
    let prefix = format!("cmdstat_{command}:calls=");
    let line = told.lines().find_map(|line| line.strip_prefix(&prefix));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_charge_of_open_windows_makes_three_calls_on_the_server() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let (record, mode) = (record(), ChargeMode::IfAllowed);
    let quotas = ["hour", "day"].map(|name| Quota::new(name, 1_000, HOUR));
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    let caller = Caller::Key(&record);
    let charge = async || {
        let charge = Charge { caller, quotas, cost: 1, mode, now: SystemClock.now() };
        limiter.charge(charge).await.unwrap();
    };
    charge().await;
    let commands = ["time", "hmget", "hset", "pttl", "pexpire", "hlen"];
    let before = commands.map(|command| calls(&server, command));
    for _ in 0..100 {
        charge().await;
    }
    let after = commands.map(|command| calls(&server, command));
    let made: Vec<u32> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    assert_eq!(made, [100, 100, 100, 0, 0, 0], "{commands:?}");
}

/// A limiter on the time of requests does not know it.
#[tokio::test]
async fn a_hash_whose_life_is_unknown_gets_one() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let (record, mode) = (record(), ChargeMode::IfAllowed);
    let network = ClientNetwork::of(IpAddr::from([192, 0, 2, 7]));
    let quotas = [Quota::new("hour", 1_000, HOUR)];
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    for (caller, numbers) in [(Caller::Key(&record), 3), (Caller::Network(&network), 5)] {
        let () = server.ask(&["FLUSHALL"]);
        for left in [999, 998, 997] {
            let charge = Charge { caller, quotas, cost: 1, mode, now: SystemClock.now() };
            let verdict = limiter.charge(charge).await.unwrap();
            assert_eq!(verdict.statuses()[0].remaining(), left);
            let [key] = &*super::keys::keys(&server) else { panic!("one key") };
            let ttl: u64 = server.ask(&["PTTL", key]);
            assert!((3_590_000..=3_601_001).contains(&ttl), "{ttl}");
            let mut at: Vec<u8> = server.ask(&["HGET", key, "at"]);
            assert_eq!(at.len(), 8 * numbers);
            at[16..24].fill(0);
            let mut connection =
                redis::Client::open(server.url()).unwrap().get_connection().unwrap();
            redis::cmd("HSET").arg(key).arg("at").arg(at).exec(&mut connection).unwrap();
            let _: u32 = server.ask(&["PERSIST", key]);
        }
    }
}
