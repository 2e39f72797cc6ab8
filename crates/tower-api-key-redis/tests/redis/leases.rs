//! Leases: what is spent locally, what is asked, and what the fleet passes as a whole.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::caller::Caller;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter, Refund};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota, QuotaStatus, Verdict};
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::{Redis, TURNS, fresh_prefix};

const START: Timestamp = Timestamp::from_unix_seconds(1_795_600_020);
const MINUTE: Duration = Duration::from_secs(60);

fn at(milliseconds: u64) -> Timestamp {
    START.plus(Duration::from_millis(milliseconds))
}

fn record(account: &str) -> KeyRecord {
    let account = Arc::new(Account::builder(account).build().unwrap());
    KeyRecord::builder("key_1", account).build().unwrap()
}

/// One node of a fleet, and what it asks.
struct Node<'a> {
    limiter: RedisLimiter,
    record: KeyRecord,
    server: &'a Redis,
}

impl<'a> Node<'a> {
    fn new(server: &'a Redis, prefix: &str, lease: Lease) -> Self {
        let limiter = server.limiter().prefix(prefix).lease(lease).on_request_time();
        Self { limiter: limiter.build().unwrap(), record: record("acme"), server }
    }

    fn alone(server: &'a Redis) -> Self {
        Self::new(server, &fresh_prefix(), Lease::new())
    }

    async fn ask(&self, quotas: &[Quota], cost: u32, mode: ChargeMode, now: Timestamp) -> Verdict {
        let quotas = AppliedQuotas { general: quotas, route: &[] };
        let charge = Charge { caller: Caller::Key(&self.record), quotas, cost, mode, now };
        self.limiter.charge(charge).await.unwrap()
    }

    async fn passes(&self, quotas: &[Quota], now: Timestamp) -> bool {
        self.ask(quotas, 1, ChargeMode::IfAllowed, now).await.retry_after().is_none()
    }

    /// Makes requests at the same time, and counts those that pass.
    async fn pass_at_once(
        &self,
        requests: usize,
        quotas: &[Quota],
        cost: u32,
        now: Timestamp,
    ) -> u32 {
        let applicable = AppliedQuotas { general: quotas, route: &[] };
        let (record, mode) = (&self.record, ChargeMode::IfAllowed);
        let charge = Charge { caller: Caller::Key(record), quotas: applicable, cost, mode, now };
        let charges: Vec<_> = (0..requests).map(|_| self.limiter.charge(charge)).collect();
        let mut passed = 0;
        for charge in charges {
            passed += u32::from(charge.await.unwrap().retry_after().is_none());
        }
        passed
    }

    async fn remaining(&self, quotas: &[Quota], now: Timestamp) -> u32 {
        self.ask(quotas, 0, ChargeMode::Peek, now).await.statuses()[0].remaining()
    }
}

#[tokio::test]
async fn most_requests_of_a_busy_account_ask_nobody_and_remaining_is_true() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let node = Node::alone(&server);
    let quotas = [Quota::new("minute", 1_000, MINUTE)];
    for number in 1..=1_000 {
        let verdict = node.ask(&quotas, 1, ChargeMode::IfAllowed, at(number)).await;
        assert_eq!(verdict.retry_after(), None, "{number}");
        // Nobody else asks, so what this node knows is all there is to know.
        let left = verdict.statuses()[0].remaining();
        assert_eq!(u64::from(left), 1_000 - number);
        let reset = Duration::from_millis(60_000 - (number - 1));
        assert_eq!(verdict.statuses()[0].reset_after(), reset);
    }
    let asked = node.server.scripts_run();
    assert!(asked < 100, "{asked} round trips for 1,000 requests");
    for number in 0..10_000 {
        let verdict = node.ask(&quotas, 1, ChargeMode::IfAllowed, at(1_000 + number)).await;
        assert_eq!(verdict.retry_after(), Some(Duration::from_millis(59_001 - number)));
    }
    // After 50 ms, 100 ms and so on: other nodes may have given tokens back.
    let asked = node.server.scripts_run() - asked;
    assert!(asked <= 9, "a flood of refusals in 10 s asks {asked} times");
    assert!(node.passes(&quotas, at(60_001)).await, "a new window");
}

#[tokio::test]
async fn requests_at_the_same_time_make_one_call_and_exactly_the_limit_passes() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for (limit, calls) in [(1_000, 1), (64, 1), (50, 2), (1, 2)] {
        let node = Node::alone(&server);
        let before = server.scripts_run();
        let quotas = [Quota::new("minute", limit, MINUTE)];
        assert_eq!(node.pass_at_once(64, &quotas, 1, START).await, limit.min(64));
        assert_eq!(server.scripts_run() - before, calls, "under a limit of {limit}");
    }
}

/// Tokens that are held drain meanwhile, so a bucket that could be filled to the brim would let pass what
/// it holds, what drains, and what was held: more than twice the limit.
#[tokio::test]
async fn a_bucket_holds_its_bound_against_the_worst_timing() {
    const LIMIT: u32 = 160;
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let prefix = fresh_prefix();
    let patient = Node::new(&server, &prefix, Lease::new());
    let greedy = Node::new(&server, &prefix, Lease::new());
    let quotas = [Quota::new("minute", LIMIT, MINUTE).with_algorithm(Algorithm::LeakyBucket)];
    // It was busy once, so it wants many.
    assert_eq!(patient.pass_at_once(64, &quotas, 1, at(0)).await, 64);
    assert_eq!(patient.pass_at_once(10, &quotas, 1, at(0)).await, 10);
    let before = server.scripts_run();
    assert!(patient.passes(&quotas, at(200_000)).await);
    let mut passed = Vec::new();
    for now in (203_700..203_700 + 60_000).step_by(50) {
        while patient.passes(&quotas, at(now)).await {
            passed.push(now);
        }
        if now == 203_700 {
            assert!(passed.len() > 10, "it held a batch until now: {}", passed.len());
            assert!(server.scripts_run() > before);
        }
        while greedy.passes(&quotas, at(now)).await {
            passed.push(now);
        }
    }
    let most = most_in_a_span(&passed, 60_000);
    assert!((305..=320).contains(&most), "{most} in one window's length");
}

#[tokio::test]
async fn a_client_that_goes_takes_nothing_along() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let node = Node::alone(&server);
    let quotas = [Quota::new("minute", 100, MINUTE)];
    for _ in 0..20 {
        let applicable = AppliedQuotas { general: &quotas, route: &[] };
        let mode = ChargeMode::IfAllowed;
        let charge = Charge {
            caller: Caller::Key(&node.record),
            quotas: applicable,
            cost: 1,
            mode,
            now: START,
        };
        drop(node.limiter.charge(charge));
        tokio::task::yield_now().await;
    }
    let mut passed = 0;
    while node.passes(&quotas, START).await {
        passed += 1;
    }
    assert!((80..=100).contains(&passed), "{passed}");
}

/// Whoever hangs up when the handler has added to the cost would pay nothing for it.
#[tokio::test]
async fn a_client_that_goes_pays_for_what_was_served() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let quotas = [Quota::new("minute", 100, MINUTE)];
    let with_lease = Node::alone(&server);
    let limiter = server.limiter().prefix(fresh_prefix()).on_request_time().build().unwrap();
    for node in [Node { limiter, record: record("acme"), server: &server }, with_lease] {
        let applicable = AppliedQuotas { general: &quotas, route: &[] };
        let (record, mode) = (&node.record, ChargeMode::Force);
        let charge =
            Charge { caller: Caller::Key(record), quotas: applicable, cost: 30, mode, now: START };
        drop(node.limiter.charge(charge));
        let give_up = Instant::now() + Duration::from_secs(20);
        while node.remaining(&quotas, START).await == 100 {
            assert!(Instant::now() < give_up, "it is not taken");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(node.remaining(&quotas, START).await, 70);
    }
}

#[tokio::test]
async fn costs_looks_and_changed_plans_go_together() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let node = Node::alone(&server);
    let plan = |limit| [Quota::new("minute", limit, MINUTE)];
    for round in 0..20 {
        assert!(node.passes(&plan(200), at(round)).await);
    }
    let asked = server.scripts_run();
    assert_eq!(node.remaining(&plan(200), at(20)).await, 180);
    assert_eq!(server.scripts_run(), asked, "it holds a batch, so it knows");
    // More than it holds, less than there is.
    let verdict = node.ask(&plan(200), 150, ChargeMode::IfAllowed, at(21)).await;
    assert_eq!((verdict.retry_after(), verdict.statuses()[0].remaining()), (None, 30));
    // Refused for 100, and still good for 1; refused for 100 again without a call.
    let refused = node.ask(&plan(200), 100, ChargeMode::IfAllowed, at(22)).await;
    assert!(refused.retry_after().is_some());
    assert!(node.passes(&plan(200), at(23)).await);
    // After the fact, and always.
    let verdict = node.ask(&plan(200), 10, ChargeMode::Force, at(24)).await;
    assert_eq!(verdict.retry_after(), None);
    // Another limit is another lease, on the same counter: what is unspent of the old one is charged.
    let left = node.remaining(&plan(300), at(25)).await;
    assert!((100..=119).contains(&left), "{left}");
    assert!(!node.ask(&plan(100), 1, ChargeMode::IfAllowed, at(26)).await.statuses().is_empty());
    assert!(!node.passes(&plan(100), at(26)).await, "more is used than the new limit");
}

#[tokio::test]
async fn what_is_not_spent_in_time_is_given_back() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for quota in [
        Quota::by_day("day", 1_000),
        Quota::new("hour", 1_000, 60 * MINUTE),
        Quota::new("hour", 1_000, 60 * MINUTE).with_algorithm(Algorithm::SlidingWindow),
    ] {
        let prefix = fresh_prefix();
        let node = Node::new(&server, &prefix, Lease::new().lasting(Duration::from_secs(10)));
        let other = Node::new(&server, &prefix, Lease::new());
        let quotas = [quota];
        for number in 0..20 {
            assert!(node.passes(&quotas, at(number)).await);
        }
        let held = 980 - other.remaining(&quotas, at(20)).await;
        assert!(held > 0, "nothing is held in advance");
        // The batch has ended, and the next call says so.
        assert!(node.passes(&quotas, at(20_000)).await);
        let left = other.remaining(&quotas, at(20_001)).await;
        assert!(left > 979 - held && left <= 979, "{left}, {held} were held");
        // Twice it is not: a call later as much is there as before, less what it takes.
        let spent = 21;
        let mut total = spent;
        while other.passes(&quotas, at(40_000)).await {
            total += 1;
        }
        assert!((900..=1_000).contains(&total), "{total}");
    }
}

/// Connections are cut while they are idle, and that is when a batch ends unspent.
#[tokio::test]
async fn a_connection_cut_with_something_to_be_given_back_fails_nobody() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let node = Node::alone(&server);
    let quotas = [Quota::by_day("day", 1_000)];
    for number in 0..20 {
        assert!(node.passes(&quotas, at(number)).await);
    }
    let _: u32 = server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(node.passes(&quotas, at(20_000)).await);
    let mut passed = 21;
    for number in 0..2_000 {
        passed += u32::from(node.passes(&quotas, at(20_000 + number)).await);
    }
    assert!((900..=1_000).contains(&passed), "{passed}: some are lost, and none doubled");
}

#[tokio::test]
async fn a_clock_set_back_ends_a_lease() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let node = Node::alone(&server);
    let quotas = [Quota::new("minute", 1_000, MINUTE)];
    for number in 0..20 {
        assert!(node.passes(&quotas, at(100_000 + number)).await);
    }
    let asked = server.scripts_run();
    assert!(node.passes(&quotas, at(99_500)).await, "out of order, no more");
    assert_eq!(server.scripts_run(), asked);
    assert!(node.passes(&quotas, at(1_000)).await);
    assert_eq!(server.scripts_run(), asked + 1);
}

/// Who comes while a call is under way must not spend what it brings, if that has ended meanwhile.
#[tokio::test]
async fn an_answer_that_comes_late_pays_nobody_of_a_later_window() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let prefix = fresh_prefix();
    let node = Node::new(&server, &prefix, Lease::new());
    let other = Node::new(&server, &prefix, Lease::new());
    let quotas = [Quota::new("minute", 1_000, MINUTE)];
    assert_eq!(node.pass_at_once(2, &quotas, 1, at(0)).await, 2);
    for number in 0..40 {
        assert!(node.passes(&quotas, at(number)).await);
    }
    let charge = |now| {
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        node.limiter.charge(Charge {
            caller: Caller::Key(&node.record),
            quotas,
            cost: 1,
            mode: ChargeMode::IfAllowed,
            now,
        })
    };
    server.signal("STOP");
    // Its batch has ended, so it asks. The window is over when the others come.
    let first = charge(at(50_000));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let late: Vec<_> = (0..5).map(|_| charge(at(61_000))).collect();
    server.signal("CONT");
    assert_eq!(first.await.unwrap().retry_after(), None);
    for charge in late {
        assert_eq!(charge.await.unwrap().retry_after(), None);
    }
    let left = other.remaining(&quotas, at(61_000)).await;
    assert!(left <= 995, "{left} are left in the window in which five passed");
}

#[tokio::test]
async fn random_accounts_fill_no_memory() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let lease = Lease::new().accounts(1_000).at_most(NonZeroU32::new(10).unwrap());
    let limiter = server.limiter().lease(lease).on_request_time().build().unwrap();
    let quotas = [Quota::new("minute", 1, MINUTE)];
    for number in 0..6_000 {
        let record = record(&format!("account_{number}"));
        for passes in [true, false] {
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let mode = ChargeMode::IfAllowed;
            let charge =
                Charge { caller: Caller::Key(&record), quotas, cost: 1, mode, now: at(number) };
            let verdict = limiter.charge(charge).await.unwrap();
            assert_eq!(verdict.retry_after().is_none(), passes, "{number}");
        }
    }
    assert!((50..=1_008).contains(&limiter.held()), "{}", limiter.held());
    // Those refusals are over, and make room.
    for number in 0..500 {
        let record = record(&format!("later_{number}"));
        let applicable = AppliedQuotas { general: &quotas, route: &[] };
        let (mode, now) = (ChargeMode::IfAllowed, at(200_000 + 1_000 * number));
        let charge =
            Charge { caller: Caller::Key(&record), quotas: applicable, cost: 1, mode, now };
        limiter.charge(charge).await.unwrap();
    }
    assert!(limiter.held() <= 1_008);
}

/// The most requests that pass in any span shorter than the window.
fn most_in_a_span(passed: &[u64], window: u64) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (index, now) in passed.iter().enumerate() {
        while passed[first] + window <= *now {
            first += 1;
        }
        most = most.max(index + 1 - first);
    }
    most
}

/// Drives a fleet by a random schedule; returns what passed, and what one memory would have let pass.
async fn schedule(server: &Redis, algorithm: Algorithm, seed: u64) -> (usize, usize, usize) {
    const WINDOW: u64 = 60_000;
    let random = &mut StdRng::seed_from_u64(seed);
    let (prefix, size) = (fresh_prefix(), random.random_range(1..=5));
    let nodes: Vec<Node<'_>> =
        (0..size).map(|_| Node::new(server, &prefix, Lease::new())).collect();
    let limit: u32 = random.random_range(2..80);
    let quotas = [Quota::new("minute", limit, MINUTE).with_algorithm(algorithm)];
    let memory = MemoryLimiter::new();
    let record = record("acme");
    // Two to five times as many as may pass, on nodes that are not equally busy.
    let gap = WINDOW / u64::from(limit * random.random_range(2..=5)).max(1);
    let favourite = random.random_range(0..size);
    let (mut now, mut passed, mut would_pass) = (random.random_range(0..WINDOW), Vec::new(), 0);
    let requests = (3 * WINDOW / gap.max(1)).min(600);
    for _ in 0..requests {
        now += match random.random_range(0..200) {
            0 => random.random_range(0..WINDOW / 6),
            1..20 => 0,
            _ => random.random_range(0..=2 * gap),
        };
        let chosen = if random.random_bool(0.4) { favourite } else { random.random_range(0..size) };
        // Mostly one request, at times several at once, or a dear one.
        let (at_once, cost) = match random.random_range(0..50) {
            0 => (random.random_range(2..20), 1),
            1 => (1, random.random_range(1..=limit - limit / 16)),
            _ => (1, 1),
        };
        let tokens = nodes[chosen].pass_at_once(at_once, &quotas, cost, at(now)).await * cost;
        passed.extend(std::iter::repeat_n(now, tokens as usize));
        for _ in 0..at_once {
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let mode = ChargeMode::IfAllowed;
            let charge = Charge { caller: Caller::Key(&record), quotas, cost, mode, now: at(now) };
            let verdict = memory.charge(charge).await.unwrap();
            would_pass += if verdict.retry_after().is_none() { cost as usize } else { 0 };
        }
    }
    let limit = limit as usize;
    let bound = match algorithm {
        Algorithm::FixedWindow => 2 * limit - 1,
        Algorithm::LeakyBucket => 2 * limit,
        _ => limit,
    };
    let most = most_in_a_span(&passed, WINDOW);
    assert!(most <= bound, "{algorithm:?}, seed {seed}: {most} passed, {bound} may");
    (passed.len(), would_pass, usize::try_from(requests).unwrap())
}

#[tokio::test]
async fn a_fleet_passes_no_more_than_the_bound_and_hardly_less() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let schedules: u64 = std::env::var("SCHEDULES").map_or(100, |count| count.parse().unwrap());
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        let before = server.scripts_run();
        let (mut passed, mut would_pass, mut requests) = (0, 0, 0);
        for seed in 0..schedules {
            let (its_passed, its_would_pass, its_requests) =
                schedule(&server, algorithm, seed).await;
            passed += its_passed;
            would_pass += its_would_pass;
            requests += its_requests;
        }
        let calls = server.scripts_run() - before;
        println!(
            "{algorithm:?}: {requests} requests, {passed} tokens spent with leases, {would_pass} by one \
             memory; {calls} round trips"
        );
        assert!(passed * 10 >= would_pass * 9, "{algorithm:?}: {passed} of {would_pass}");
    }
}

/// A refund goes to the server, whether the charge was spent from a batch or asked for.
#[tokio::test]
async fn a_refund_of_a_spent_token_goes_to_the_server() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::CalendarDay] {
        let node = Node::alone(&server);
        let quotas = [Quota::new("minute", 1_000, MINUTE).with_algorithm(algorithm)];
        let applicable = AppliedQuotas { general: &quotas, route: &[] };
        let (caller, mode) = (Caller::Key(&node.record), ChargeMode::IfAllowed);
        let mut charged = Vec::new();
        for number in 0..100 {
            let verdict = node.ask(&quotas, 1, mode, at(number)).await;
            charged.push((at(number), verdict));
        }
        let before = node.remaining(&quotas, at(100)).await;
        assert_eq!(before, 900, "{algorithm:?}");
        for (now, verdict) in &charged[..40] {
            let charge = Charge { caller, quotas: applicable, cost: 1, mode, now: *now };
            let refund = Refund { charge, verdict, cost: 1, now: at(101) };
            node.limiter.refund(refund).await.unwrap();
        }
        // The next batch learns of it.
        for number in 0..500 {
            assert!(node.passes(&quotas, at(102 + number)).await, "{algorithm:?} {number}");
        }
        let left = node.remaining(&quotas, at(700)).await;
        assert_eq!(left, 440, "{algorithm:?}");
    }
}

/// By the server's clock, as in production.
#[tokio::test]
async fn a_refund_counts_by_the_servers_clock() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for with_lease in [false, true] {
        let limiter = server.limiter().prefix(fresh_prefix());
        let limiter = if with_lease { limiter.lease(Lease::new()) } else { limiter };
        let limiter = limiter.build().unwrap();
        let quotas = [
            Quota::new("minute", 100, MINUTE),
            Quota::new("sliding", 100, MINUTE).with_algorithm(Algorithm::SlidingWindow),
            Quota::new("bucket", 100, 100 * MINUTE).with_algorithm(Algorithm::LeakyBucket),
        ];
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let (record, mode) = (record("acme"), ChargeMode::IfAllowed);
        // The node's clock is wrong by years.
        let caller = Caller::Key(&record);
        let charge = Charge { caller, quotas, cost: 50, mode, now: at(0) };
        let verdict = limiter.charge(charge).await.unwrap();
        let left = |verdict: &Verdict| -> Vec<u32> {
            verdict.statuses().iter().map(QuotaStatus::remaining).collect()
        };
        // A lease keeps a sixteenth of a bucket free.
        let bucket = if with_lease { 44 } else { 50 };
        assert_eq!(left(&verdict), [50, 50, bucket]);
        let refund = Refund { charge, verdict: &verdict, cost: 20, now: at(10) };
        let refunded = limiter.refund(refund).await.unwrap();
        assert_eq!(left(&refunded), [70, 70, bucket + 20]);
        // A verdict that is not the limiter's gives nothing back.
        let foreign = Verdict::passed();
        let refund = Refund { verdict: &foreign, ..refund };
        assert_eq!(left(&limiter.refund(refund).await.unwrap())[..2], [70, 70]);
    }
}
