//! Redis and memory, driven with the same requests: every verdict agrees, to the nanosecond.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tower_api_key::caller::{Caller, ClientNetwork};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter, Refund};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota};

use crate::{Redis, TURNS};

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 24 * 3_600 * SECOND;

fn any_quota(random: &mut StdRng, name: &str) -> Quota {
    let window = match random.random_range(0..10) {
        0..4 => random.random_range(1..10) * SECOND,
        4..7 => random.random_range(SECOND..100 * SECOND),
        7 => random.random_range(SECOND..DAY),
        8 => random.random_range(100 * DAY..366 * DAY),
        _ => 366 * DAY,
    };
    let limit = match random.random_range(0..10) {
        0..6 => random.random_range(1..20),
        6..9 => random.random_range(1..2_000),
        _ => u32::MAX - random.random_range(0..3),
    };
    let quota = Quota::named(name, limit, Duration::from_nanos(window));
    let algorithm = match random.random_range(0..10) {
        0..3 => Algorithm::FixedWindow,
        3..6 => Algorithm::LeakyBucket,
        6..8 => Algorithm::SlidingWindow,
        8 => Algorithm::CalendarDay,
        _ => Algorithm::CalendarMonth,
    };
    let per = if random.random_bool(0.3) { Per::Key } else { Per::Account };
    let quota = quota.with_algorithm(algorithm).with_per(per);
    if random.random_bool(0.2) { quota.in_shadow() } else { quota }
}

/// The same quota under another limit, as after a change of plan.
fn with_limit(quota: &Quota, limit: u32) -> Quota {
    let changed = Quota::named(quota.name(), limit, quota.window());
    let changed = changed.with_algorithm(quota.algorithm()).with_per(quota.per());
    if quota.is_in_shadow() { changed.in_shadow() } else { changed }
}

/// A step to another instant: mostly a small one, at times to an edge of a window, or far, or back.
fn step(random: &mut StdRng, now: u64, quotas: &[Quota]) -> u64 {
    let window = u64::try_from(quotas.choose(random).unwrap().window().as_nanos()).unwrap();
    match random.random_range(0..40) {
        0..10 => now,
        10..20 => now + random.random_range(0..SECOND),
        20..25 => now + random.random_range(0..window / 4),
        25..28 => now + window,
        28 => now + window - 1,
        29 => now + window.div_ceil(12),
        30 => now + random.random_range(0..2 * window),
        31..36 => now - random.random_range(0..SECOND),
        36 => now - SECOND,
        37 => now - SECOND - 1,
        38 => now - random.random_range(0..window),
        // Whole microseconds, as a server tells them.
        _ => now / 1_000 * 1_000,
    }
}

async fn agree(server: &Redis, seed: u64, requests: usize) {
    let random = &mut StdRng::seed_from_u64(seed);
    let redis = server.limiter().prefix(format!("{seed}:")).on_request_time().build().unwrap();
    let memory = MemoryLimiter::new();
    let account = Arc::new(Account::builder(format!("acme{{}}%{seed}")).build().unwrap());
    let keys =
        ["key_1", "key_2"].map(|id| KeyRecord::builder(id, Arc::clone(&account)).build().unwrap());
    // A network has no keys, so its quotas count by account.
    let network = ClientNetwork::of(IpAddr::from([192, 0, 2, 7]));
    let of_network = seed % 4 == 3;
    let callers = if of_network {
        vec![Caller::Network(&network)]
    } else {
        keys.iter().map(Caller::Key).collect()
    };
    let per = |quota: Quota| if of_network { quota.with_per(Per::Account) } else { quota };
    let names = ["a", "b", "c", "d"];
    let mut general: Vec<Quota> = names.iter().map(|name| per(any_quota(random, name))).collect();
    general.truncate(random.random_range(1..=3));
    let mut route: Vec<Quota> = names.iter().map(|name| per(any_quota(random, name))).collect();
    route.truncate(random.random_range(0..=2));
    let mut now = 1_795_600_000 * SECOND + random.random_range(0..400 * DAY);
    // Memory counts all subjects from the start, so that none takes the place of an idle one: what an idle one
    // remembers would differ after a clock is set back.
    let first = Quota::new("first", 9, Duration::from_nanos(366 * DAY));
    let first = [per(first.with_per(Per::Key))];
    let quotas = AppliedQuotas { general: &first, route: &general };
    for caller in &callers {
        let (cost, mode) = (1, ChargeMode::Force);
        let (caller, now) = (*caller, Timestamp::from_unix_nanoseconds(now));
        let charge = Charge { caller, quotas, cost, mode, now };
        memory.charge(charge).await.unwrap();
        redis.charge(charge).await.unwrap();
    }
    let mut passed = 0;
    let mut charged = Vec::new();
    for request in 0..requests {
        now = step(random, now, &general);
        if random.random_bool(0.02) {
            let changed = random.random_range(0..general.len());
            let limit = random.random_range(1..40);
            general[changed] = with_limit(&general[changed], limit);
        }
        let limit = general.choose(random).unwrap().limit();
        let caller = *callers.choose(random).unwrap();
        let mode = match random.random_range(0..12) {
            // Redis keeps nothing of a peek at a network, not even its instant.
            0 | 1 if !of_network => ChargeMode::Peek,
            2 => ChargeMode::Force,
            _ => ChargeMode::IfAllowed,
        };
        let charge = Charge {
            caller,
            quotas: AppliedQuotas {
                general: &general,
                route: if random.random_bool(0.5) { &route } else { &[] },
            },
            cost: match random.random_range(0..10) {
                0 => 0,
                1 => random.random_range(0..=limit.min(u32::MAX - 1)),
                2 => limit.saturating_add(1),
                3 => random.random_range(1..10),
                // Mostly more than there is room for.
                4..9 if mode == ChargeMode::Force => {
                    limit.saturating_sub(random.random_range(0..5))
                }
                _ => 1,
            },
            mode,
            now: Timestamp::from_unix_nanoseconds(now),
        };
        let (here, there) = (memory.charge(charge).await, redis.charge(charge).await);
        let (here, there) = (here.unwrap(), there.unwrap());
        let context = format!("seed {seed}, request {request}: {charge:?}");
        assert_eq!(there.retry_after(), here.retry_after(), "{context}");
        assert!(there.shadow_refusals().eq(here.shadow_refusals()), "{context}");
        assert_eq!(there.statuses(), here.statuses(), "{context}");
        passed += usize::from(here.retry_after().is_none());
        assert_eq!(there.taken_at(), here.taken_at(), "{context}");
        if charge.mode == ChargeMode::IfAllowed && here.retry_after().is_none() {
            let quotas = (charge.quotas.general.to_vec(), charge.quotas.route.to_vec());
            charged.push((quotas, caller, charge.cost, charge.now, here, there));
        }
        if !charged.is_empty() && random.random_bool(0.2) {
            now = step(random, now, &general);
            let latest = charged.len().saturating_sub(5);
            let index = random.random_range(latest..charged.len());
            let ((general, route), caller, cost, at, here, there) = charged.remove(index);
            let quotas = AppliedQuotas { general: &general, route: &route };
            let charge = Charge { caller, quotas, cost, mode: ChargeMode::IfAllowed, now: at };
            let (cost, now) =
                (random.random_range(0..=cost), Timestamp::from_unix_nanoseconds(now));
            let here = memory.refund(Refund { charge, verdict: &here, cost, now }).await.unwrap();
            let there = redis.refund(Refund { charge, verdict: &there, cost, now }).await.unwrap();
            let context = format!("seed {seed}, refund {request}: {cost} of {charge:?} at {now:?}");
            assert_eq!(there.statuses(), here.statuses(), "{context}");
            assert_eq!((there.retry_after(), here.retry_after()), (None, None), "{context}");
        }
    }
    let all_in_shadow = general.iter().all(Quota::is_in_shadow);
    assert!(passed > 0 && (passed < requests || all_in_shadow), "seed {seed}: {passed}");
}

#[tokio::test]
async fn redis_and_memory_agree_on_every_verdict() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for seed in 0..100 {
        agree(&server, seed, 300).await;
    }
}
