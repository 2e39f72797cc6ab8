//! A gate whose Redis is stopped, or killed and started again empty, under load.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::caller::Caller;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, vendors};
use tower_api_key_redis::{Lease, RedisLimiter, RedisLimiterBuilder};

use crate::{Redis, TURNS};

const KEY: &str = "a-good-key-of-acme";
/// Those of several outages run at the same time.
const CLIENTS: usize = 8;
/// Fewer than they ask for in half a second, however busy the machine is.
const LIMIT: u32 = 100;
/// Of four nodes.
const QUARTER: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(4).unwrap()));

/// The server is well, is gone, and is back.
const PHASES: [(&str, Duration); 3] = [
    ("before", Duration::from_secs(1)),
    ("outage", Duration::from_secs(2)),
    ("after", Duration::from_secs(4)),
];

/// What becomes of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    Stopped,
    KilledAndEmpty,
}

impl Outage {
    fn begin(self, server: &mut Redis) {
        match self {
            Self::Stopped => server.signal("STOP"),
            Self::KilledAndEmpty => server.kill(),
        }
    }

    fn end(self, server: &mut Redis) {
        match self {
            Self::Stopped => server.signal("CONT"),
            Self::KilledAndEmpty => server.start_again(),
        }
    }
}

/// An answer: when, counted from the start, how long it took, and which.
type Seen = (Duration, Duration, u16);

async fn client(gate: ApiKeyLayer, start: Instant, end: Instant) -> Vec<Seen> {
    let service = gate.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let mut seen = Vec::new();
    while Instant::now() < end {
        let request = Request::get("/").header("authorization", format!("Bearer {KEY}"));
        let asked = Instant::now();
        let answer = service.clone().oneshot(request.body(()).unwrap()).await.unwrap();
        seen.push((asked - start, asked.elapsed(), answer.status().as_u16()));
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    seen
}

/// What was seen in a phase.
struct Summary {
    statuses: BTreeMap<u16, usize>,
    p50: Duration,
    p99: Duration,
}

fn summary(seen: &[Seen], from: Duration, to: Duration) -> Summary {
    let within: Vec<&Seen> = seen.iter().filter(|(at, ..)| (from..to).contains(at)).collect();
    let mut took: Vec<Duration> = within.iter().map(|(_, took, _)| *took).collect();
    took.sort_unstable();
    let mut statuses = BTreeMap::new();
    for (.., status) in &within {
        *statuses.entry(*status).or_default() += 1;
    }
    let part = |percent: usize| took[(took.len() - 1) * percent / 100];
    Summary { statuses, p50: part(50), p99: part(99) }
}

/// Drives a gate through an outage.
async fn drive(
    name: &str,
    outage: Outage,
    on_failure: OnLimiterFailure,
    describe: impl Fn(RedisLimiterBuilder) -> RedisLimiterBuilder,
) -> Option<[Summary; 3]> {
    let mut server = Redis::start()?;
    let quota = Quota::new("second", LIMIT, Duration::from_secs(1));
    let account = Arc::new(Account::builder("acme").quotas([quota]).build().unwrap());
    let store = MemoryStore::new();
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    store.add_now(KeyHasher::sha256().digest(KEY.as_bytes()), record);
    let limiter = describe(RedisLimiter::builder(&server.url())).build().unwrap();
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).assume_https();
    let gate = gate.limits(limiter, on_failure).build().unwrap();
    let start = Instant::now();
    let end = start + PHASES.iter().map(|(_, length)| *length).sum::<Duration>();
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(client(gate.clone(), start, end))).collect();
    tokio::time::sleep_until(start + PHASES[0].1).await;
    outage.begin(&mut server);
    tokio::time::sleep_until(start + PHASES[0].1 + PHASES[1].1).await;
    outage.end(&mut server);
    let back = start.elapsed();
    let mut seen = Vec::new();
    for client in clients {
        seen.extend(client.await.unwrap());
    }
    seen.sort_unstable();
    println!("{name}, {outage:?}, on failure {on_failure:?}:");
    let mut from = Duration::ZERO;
    let summaries = PHASES.map(|(phase, length)| {
        let summary = summary(&seen, from, from + length);
        from += length;
        let Summary { statuses, p50, p99 } = &summary;
        println!("  {phase}: {statuses:?}, latency p50 {p50:.1?}, p99 {p99:.1?}");
        summary
    });
    let counted = seen.iter().find(|(at, _, status)| *at > back && *status == 429);
    let counted = counted.map(|(at, ..)| at.saturating_sub(back));
    println!("  counts again {counted:.1?} after the server is back");
    Some(summaries)
}

fn count(summary: &Summary, status: u16) -> usize {
    summary.statuses.get(&status).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_costs_what_was_chosen_and_no_time() {
    let _turn = TURNS.write().await;
    for outage in [Outage::Stopped, Outage::KilledAndEmpty] {
        let with = |on_failure| drive("with a breaker", outage, on_failure, |builder| builder);
        let (deny, allow) = (OnLimiterFailure::Deny, OnLimiterFailure::Allow);
        let driven = tokio::join!(with(deny), with(allow), with(QUARTER));
        for (on_failure, driven) in [(deny, driven.0), (allow, driven.1), (QUARTER, driven.2)] {
            let Some([before, during, after]) = driven else { return };
            assert!(count(&before, 200) > 0 && count(&before, 429) > 0, "it counts");
            let all: usize = during.statuses.values().sum();
            match on_failure {
                OnLimiterFailure::Deny => assert!(count(&during, 503) > all * 8 / 10),
                OnLimiterFailure::Local(share) => {
                    // The windows of two seconds, the first of which may have been begun in Redis.
                    let most = LIMIT + 3 * share.limit(LIMIT);
                    assert!((1..=most as usize).contains(&count(&during, 200)));
                    assert!(count(&during, 429) > 0 && count(&during, 503) == 0);
                }
                _ => assert!(count(&during, 200) > all * 8 / 10 && count(&during, 503) == 0),
            }
            assert!(during.p50 < Duration::from_millis(25), "a dead server costs no timeouts");
            assert!(count(&after, 200) > 0 && count(&after, 429) > 0, "it counts again");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_breaker_each_request_waits_for_its_timeout() {
    let _turn = TURNS.write().await;
    let impatient = |builder: RedisLimiterBuilder| builder.patience(u32::MAX);
    let driven =
        drive("without a breaker", Outage::Stopped, OnLimiterFailure::Deny, impatient).await;
    let Some([_, during, _]) = driven else { return };
    assert!(during.p50 >= Duration::from_millis(50), "{:?}", during.p50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_and_refusals_that_are_held_count_during_an_outage() {
    let _turn = TURNS.write().await;
    let lease = |builder: RedisLimiterBuilder| builder.lease(Lease::new());
    let with = |outage| drive("with leases", outage, OnLimiterFailure::Deny, lease);
    let driven = tokio::join!(with(Outage::Stopped), with(Outage::KilledAndEmpty));
    for driven in [driven.0, driven.1] {
        let Some([before, during, after]) = driven else { return };
        assert!(count(&before, 200) > 0 && count(&before, 429) > 0);
        assert!(count(&during, 503) > 0, "what was held is used up");
        assert!(count(&after, 200) > 0 && count(&after, 429) > 0);
    }
}

/// A program may start before its server does.
#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    let Some(mut server) = Redis::start() else { return };
    server.kill();
    let limiter = RedisLimiter::open(&server.url()).unwrap();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    let quotas = [Quota::new("minute", 5, Duration::from_secs(60))];
    let ask = async || {
        use tower_api_key::clock::{Clock, SystemClock};
        use tower_api_key::limits::{Charge, ChargeMode, Limiter};
        use tower_api_key::quota::AppliedQuotas;
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let (record, mode, now) = (&record, ChargeMode::IfAllowed, SystemClock.now());
        limiter.charge(Charge { caller: Caller::Key(record), quotas, cost: 1, mode, now }).await
    };
    for _ in 0..100 {
        assert!(ask().await.is_err());
    }
    server.start_again();
    let began = Instant::now();
    while ask().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it is never found");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
