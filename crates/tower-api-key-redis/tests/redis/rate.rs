//! Measures the rate of charges against the least that a limit in Redis could do with the same client: `INCR` and
//! `PEXPIRE`, in one round trip. Beside each rate stands what a call takes of the processors, for the client and for the
//! server.
//!
//! `cargo test --release -p tower-api-key-redis --all-features --test redis rate:: -- --ignored --nocapture`

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{AppliedQuotas, Quota};
use tower_api_key_redis::RedisLimiter;

use crate::{Redis, TURNS, fresh_prefix};

const CALLERS: u64 = 64;

/// The time of one measurement. They take turns, so that a busy machine slows down all.
const TURN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

/// The calls that ended, and what each took.
struct Rate {
    a_second: f64,
    /// The microseconds of the processor for each call. They hold on a busy machine, too.
    of_client: f64,
    of_server: f64,
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { a_second, of_client, of_server } = self;
        write!(formatter, "{a_second:.0} ({of_client:.1} + {of_server:.1} us)")
    }
}

/// Returns the time that processors have spent for this process, and for the server.
fn processor_time(server: &Redis) -> [Duration; 2] {
    let own = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let told: String = server.ask(&["INFO", "cpu"]);
    let seconds = |name: &str| -> f64 {
        told.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
    };
    let of_server = seconds("used_cpu_user:") + seconds("used_cpu_sys:");
    [own.try_into().unwrap(), Duration::from_secs_f64(of_server)]
}

/// Runs a call in 64 tasks for a while.
async fn rate<F: Future<Output = ()> + Send>(
    server: &Redis,
    call: impl Fn(u64) -> F + Send + Sync + 'static,
) -> Rate {
    let (ended, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let call = Arc::new(call);
    let mut callers = tokio::task::JoinSet::new();
    let (began, before) = (Instant::now(), processor_time(server));
    for caller in 0..CALLERS {
        let (call, ended, over) = (Arc::clone(&call), Arc::clone(&ended), Arc::clone(&over));
        callers.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                call(caller).await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(TURN).await;
    over.store(true, Ordering::Relaxed);
    callers.join_all().await;
    let (ended, after) = (ended.load(Ordering::Relaxed) as f64, processor_time(server));
    let taken =
        |index: usize| after[index].saturating_sub(before[index]).as_secs_f64() * 1e6 / ended;
    let (of_client, of_server) = (taken(0), taken(1));
    Rate { a_second: ended / began.elapsed().as_secs_f64(), of_client, of_server }
}

/// Counts in this number of counters without a limit.
async fn plain(mut connection: MultiplexedConnection, prefix: String, caller: u64, counters: u64) {
    let mut pipe = redis::pipe();
    for counter in 0..counters {
        let key = format!("{prefix}{caller}:{counter}");
        pipe.incr(&key, 1).pexpire(&key, 60_000);
    }
    let _: Vec<i64> = pipe.query_async(&mut connection).await.unwrap();
}

async fn charge(limiter: RedisLimiter, record: Arc<KeyRecord>, quotas: Arc<Vec<Quota>>) {
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    let (caller, mode, now) = (Caller::Key(&record), ChargeMode::IfAllowed, SystemClock.now());
    let verdict = limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await.unwrap();
    assert_eq!(verdict.retry_after(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes most of a minute, and says what rate a limit has"]
async fn two_windows_are_charged_at_a_part_of_the_rate_of_plain_counters() {
    let _turn = TURNS.write().await;
    let Some(server) = Redis::start() else { return };
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let limiter = server.limiter().prefix(fresh_prefix()).build().unwrap();
    limiter.check().await.unwrap();
    let separate = server.limiter().prefix(fresh_prefix()).separate_calls().build().unwrap();
    let records: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let account = Account::builder(format!("account_{caller}")).build().unwrap();
            Arc::new(KeyRecord::builder(format!("key_{caller}"), account).build().unwrap())
        })
        .collect();
    let most = 1_000_000_000;
    let quotas = Arc::new(vec![
        Quota::new("minute", most, Duration::from_secs(60)),
        Quota::new("hour", most, Duration::from_secs(3_600)),
    ]);
    let (mut to_one, mut to_two) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let charge_rate = |limiter: &RedisLimiter| {
            let (limiter, records, quotas) = (limiter.clone(), records.clone(), quotas.clone());
            rate(&server, move |caller| {
                let record = Arc::clone(&records[usize::try_from(caller).unwrap()]);
                charge(limiter.clone(), record, Arc::clone(&quotas))
            })
        };
        let (charged, alone) = (charge_rate(&limiter), charge_rate(&separate));
        let plain_rate = |counters| {
            let (connection, prefix) = (connection.clone(), fresh_prefix());
            rate(&server, move |caller| plain(connection.clone(), prefix.clone(), caller, counters))
        };
        let (one, charged, two) = (plain_rate(1).await, charged.await, plain_rate(2).await);
        let alone = alone.await;
        println!(
            "a second: {charged} charges of two windows, {alone} by calls of their own, \
             {one} of one plain counter, {two} of two"
        );
        to_one.push(charged.a_second / one.a_second);
        to_two.push(charged.a_second / two.a_second);
    }
    let median = |mut ratios: Vec<f64>| {
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    };
    println!("to one plain counter: {:.2}; to two: {:.2}", median(to_one), median(to_two));
}
