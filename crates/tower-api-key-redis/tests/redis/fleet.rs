//! Four processes on one Redis, each driven hard: what all of them pass together.
//!
//! The processes are this test program itself, started with `FLEET` set.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota};
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::folder::Folder;
use crate::{Redis, TURNS};

const PROCESSES: usize = 4;
const TASKS: usize = 8;
const SECONDS: usize = 10;
const DRIVEN: Duration = Duration::from_secs(SECONDS as u64);

const LIMIT: u32 = 1_000;
const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("fixed", Algorithm::FixedWindow),
    ("bucket", Algorithm::LeakyBucket),
    ("sliding", Algorithm::SlidingWindow),
];
const WINDOWS: [u64; 2] = [1, 10];

/// Nanoseconds of the clock that all processes of a machine share.
fn monotonic() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// An account for each algorithm and window, so that all are driven at the same time.
fn cases() -> Vec<(String, Algorithm, u64)> {
    let cases = ALGORITHMS.iter().flat_map(|(name, algorithm)| {
        WINDOWS.map(|window| (format!("{name}-{window}"), *algorithm, window))
    });
    cases.collect()
}

/// What one process does: it drives each account with some tasks, and notes when each request that passed
/// was made and answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drives_hard_if_it_is_told_to() {
    let Ok(told) = env::var("FLEET") else { return };
    let [url, file, lease, start] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let builder = RedisLimiter::builder(url).timeout(Duration::from_secs(5));
    let builder = if lease == "lease" { builder.lease(Lease::new()) } else { builder };
    let limiter = builder.build().unwrap();
    let start: u64 = start.parse().unwrap();
    let end = start + u64::try_from(DRIVEN.as_nanos()).unwrap();
    tokio::time::sleep(Duration::from_nanos(start.saturating_sub(monotonic()))).await;
    let mut tasks = Vec::new();
    for (account, algorithm, window) in cases() {
        for _ in 0..TASKS {
            let (limiter, account) = (limiter.clone(), account.clone());
            tasks.push(tokio::spawn(async move {
                let record = Arc::new(Account::builder(&account).build().unwrap());
                let record = KeyRecord::builder("key_1", record).build().unwrap();
                let window = Duration::from_secs(window);
                let quotas = [Quota::new("requests", LIMIT, window).with_algorithm(algorithm)];
                let (mut passed, mut requests) = (Vec::new(), 0u64);
                let mut asked = [0u64; SECONDS];
                loop {
                    let made = monotonic();
                    if made >= end {
                        return (account, passed, asked);
                    }
                    asked[second(made - start)] += 1;
                    let applicable = AppliedQuotas { general: &quotas, route: &[] };
                    let (mode, now) = (ChargeMode::IfAllowed, SystemClock.now());
                    let charge = Charge {
                        caller: Caller::Key(&record),
                        quotas: applicable,
                        cost: 1,
                        mode,
                        now,
                    };
                    let verdict = limiter.charge(charge).await.unwrap();
                    if verdict.retry_after().is_none() {
                        passed.push((made, monotonic()));
                    }
                    requests += 1;
                    // What is answered from memory leaves the others their turn; and a client that
                    // does nothing else than ask would leave this machine's server none.
                    if requests.is_multiple_of(16) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    } else {
                        tokio::task::yield_now().await;
                    }
                }
            }));
        }
    }
    let mut lines = String::new();
    for task in tasks {
        let (account, passed, asked) = task.await.unwrap();
        for (second, requests) in asked.iter().enumerate() {
            lines += &format!("{account} asked:{second} {requests}\n");
        }
        for (made, answered) in passed {
            lines += &format!("{account} {made} {answered}\n");
        }
    }
    fs::write(file, lines).unwrap();
}

/// What all processes together did for one account.
#[derive(Default)]
struct Total {
    /// The requests of each second.
    asked: [u64; SECONDS],
    /// When each request that passed was made, and answered.
    passed: Vec<(u64, u64)>,
}

fn drive(server: &Redis, lease: &str) -> Vec<Total> {
    let folder = Folder::new();
    let start = monotonic() + 500_000_000;
    let files: Vec<_> =
        (0..PROCESSES).map(|number| folder.path().join(number.to_string())).collect();
    let processes: Vec<_> = files
        .iter()
        .map(|file| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "fleet::drives_hard_if_it_is_told_to"])
                .env("FLEET", format!("{} {} {lease} {start}", server.url(), file.display()))
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let lines: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut totals: Vec<Total> = cases().iter().map(|_| Total::default()).collect();
    for line in lines.lines() {
        let [account, first, second] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let index = cases().iter().position(|(name, ..)| name == account).unwrap();
        let second = second.parse().unwrap();
        match first.strip_prefix("asked:") {
            Some(at) => totals[index].asked[at.parse::<usize>().unwrap()] += second,
            None => totals[index].passed.push((first.parse().unwrap(), second)),
        }
    }
    totals
}

impl Total {
    fn requests(&self) -> u64 {
        self.asked.iter().sum()
    }

    /// What the limit admits of what was asked for: where a stalled machine asks for less than the limit,
    /// no limiter can pass more.
    fn admissible(&self, window: u64) -> u64 {
        let windows = self.asked.chunks(usize::try_from(window).unwrap());
        windows.map(|asked| asked.iter().sum::<u64>().min(u64::from(LIMIT))).sum()
    }
}

/// Which second of the drive a time since its start falls into.
fn second(nanoseconds: u64) -> usize {
    usize::try_from(nanoseconds / 1_000_000_000).unwrap().min(SECONDS - 1)
}

/// The most requests that were made and answered within any span shorter than the window. One that was
/// made before the span or answered after it may have been decided outside of it.
fn most_in_a_span(passed: &[(u64, u64)], window: u64) -> usize {
    let mut passed = passed.to_vec();
    passed.sort_unstable();
    // Whatever is made after the span's begin and answered before its end.
    let mut most = 0;
    for (index, (begin, _)) in passed.iter().enumerate() {
        let made = passed[index..].iter().take_while(|(made, _)| *made < begin + window);
        most = most.max(made.filter(|(_, answered)| *answered < begin + window).count());
    }
    most
}

#[test]
fn four_processes_pass_no_more_than_the_bound() {
    let _turn = TURNS.blocking_write();
    let Some(server) = Redis::start() else { return };
    for lease in ["each", "lease"] {
        let () = server.ask(&["FLUSHALL"]);
        let before = server.scripts_run();
        let totals = drive(&server, lease);
        let calls = server.scripts_run() - before;
        let requests: u64 = totals.iter().map(Total::requests).sum();
        println!(
            "{lease}: {requests} requests of {PROCESSES} processes in {DRIVEN:?}, {calls} round \
             trips, {:.4} a request",
            calls as f64 / requests as f64
        );
        for ((name, algorithm, window), total) in cases().iter().zip(&totals) {
            let bound = match algorithm {
                Algorithm::FixedWindow => 2 * LIMIT as usize - 1,
                Algorithm::LeakyBucket => 2 * LIMIT as usize,
                _ => LIMIT as usize,
            };
            let most = most_in_a_span(&total.passed, window * 1_000_000_000);
            let passed = total.passed.len();
            let used = passed as f64 / total.admissible(*window) as f64;
            println!(
                "  {name}: {passed} of {} passed, {:.0} % of what the limit admits; at most {most} in a \
                 window's length, {bound} may",
                total.requests(),
                100.0 * used
            );
            assert!(most <= bound, "{name}, {lease}: {most} in one window's length");
            assert!(lease == "each" || used >= 0.9, "{name}: {used} of the limit is used");
        }
    }
}
