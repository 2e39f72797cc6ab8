//! The memory store: loading a million keys, changing one, and what it all takes in memory.

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tower_api_key::key::{KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

use crate::report::{Report, Target};
use crate::subject::{
    BARE, Extras, KEYS_PER_ACCOUNT, Keys, account, bearer, gate, key, request, routes, timed,
};

/// Tells a child process to measure its memory.
const MEMORY: &str = "TOWER_API_KEY_BENCH_MEMORY";
const KEYS: usize = 1_000_000;

/// Measures loading and changing.
pub(crate) fn measure(report: &mut Report, keys: &Keys) {
    report.hold("store: a million keys loaded", load().as_secs_f64(), "s", Target::AtMost(3.0));
    let mut took: Vec<Duration> = (0..20_000)
        .map(|number| {
            let id = format!("key_{}", number * 37 % keys.texts.len());
            let began = Instant::now();
            let changed = keys.store.update_now(&id, |key| key.disabled(false));
            let took = began.elapsed();
            assert_eq!(changed, Ok(true));
            took
        })
        .collect();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 1000).map_or(0.0, |t| micros(*t));
    report.hold("store: one key changed, median", at(500), "µs", Target::AtMost(10.0));
    report.hold("store: one key changed, 99 of 100", at(990), "µs", Target::AtMost(10.0));
    report.note("store: one key changed, slowest of 20,000", at(999), "µs");
    report.hold("store: memory a key, limits included", memory(), "bytes", Target::AtMost(260.0));
}

/// Loads records that were made before.
fn load() -> Duration {
    let mut random = SmallRng::seed_from_u64(11);
    let mut owner = account(0);
    let records: Vec<_> = (0..KEYS)
        .map(|index| {
            if index % KEYS_PER_ACCOUNT == 0 {
                owner = account(index / KEYS_PER_ACCOUNT);
            }
            let record = KeyRecord::builder(format!("key_{index}"), owner.clone()).build();
            (KeyHasher::sha256().digest(key(&mut random).as_bytes()), record.expect("valid"))
        })
        .collect();
    let store = MemoryStore::new();
    let began = Instant::now();
    for (digest, record) in records {
        store.add_now(digest, record);
    }
    began.elapsed()
}

/// Runs this program again, which then does nothing but fill a store and a limiter.
fn memory() -> f64 {
    let program = env::current_exe().expect("this program");
    let output = Command::new(program).env(MEMORY, "1").output().expect("this program runs");
    let text = String::from_utf8(output.stdout).expect("a number");
    text.trim().parse().expect("a number")
}

/// Tells whether this process is the one that measures memory; then it has printed the bytes a key.
pub(crate) fn measured_memory() -> bool {
    if env::var_os(MEMORY).is_none() {
        return false;
    }
    let mut random = SmallRng::seed_from_u64(13);
    let before = resident();
    let store = MemoryStore::new();
    let mut owner = account(0);
    for index in 0..KEYS {
        if index % KEYS_PER_ACCOUNT == 0 {
            owner = account(index / KEYS_PER_ACCOUNT);
        }
        let record = KeyRecord::builder(format!("key_{index}"), owner.clone()).build();
        let digest = KeyHasher::sha256().digest(key(&mut random).as_bytes());
        store.add_now(digest, record.expect("valid"));
    }
    // One request of each account, so that all have counters; the same random numbers again.
    let mut random = SmallRng::seed_from_u64(13);
    let mut gate = gate(&BARE, &store, routes(), 1, Extras::None);
    for index in 0..KEYS {
        let text = key(&mut random);
        if index % KEYS_PER_ACCOUNT == 0 {
            timed(&mut gate, 200, 1, || request("/v1/users", bearer(&text)));
        }
    }
    #[allow(clippy::cast_precision_loss)] // Far below 2^52.
    let bytes = (resident() - before) as f64 / KEYS as f64;
    println!("{bytes}");
    true
}

/// Returns the resident memory of this process in bytes, as Linux tells it.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kilobytes.expect("a number of kilobytes") * 1024
}

#[allow(clippy::cast_precision_loss)] // Far below 2^52.
fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1000.0
}
