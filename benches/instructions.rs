//! One path of the gate, run a given number of times, for `benches/instructions-check` to count the
//! instructions of.
//!
//! `instructions PATH GATED TOTAL` makes TOTAL requests, GATED of them through the gate and the rest
//! past it, straight to the service. Two runs with the same total and other shares therefore differ
//! by what the gate costs, and by nothing else: requests and the service cancel out. What comes before them is not
//! counted: a recorder of metrics reads the system's clock until it knows its speed, which takes as long as it takes.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "subject/mod.rs"]
mod subject;

use std::env;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Request};
use metrics_exporter_prometheus::PrometheusBuilder;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

use subject::{
    BARE, Extras, Gate, Nothing, PROFILE, account, call, free_served, gate_on, nothing, routes,
};

/// More than one, so that a lookup that happens to be lucky does not stand for all.
const KEYS: usize = 64;
/// Requests of each path when nobody counts: enough to see that they are answered as they should be.
const TRIED: usize = 5_000;

/// Writes the `Authorization` of a path from a key and the next one.
type Authorize = fn(&str, &str) -> Option<HeaderValue>;

/// One way through the gate.
struct Path {
    name: &'static str,
    /// Two windows always; without limit headers and grant if bare.
    bare: bool,
    /// Whether the gate counts its requests for Prometheus.
    metrics: bool,
    /// Whether the store knows the keys.
    known: bool,
    authorize: Authorize,
    expected: u16,
}

const PATHS: [Path; 8] = [
    Path {
        name: "accept",
        bare: false,
        metrics: false,
        known: true,
        authorize: bearer,
        expected: 200,
    },
    Path {
        name: "accept-bare",
        bare: true,
        metrics: false,
        known: true,
        authorize: bearer,
        expected: 200,
    },
    Path {
        name: "accept-basic",
        bare: false,
        metrics: false,
        known: true,
        authorize: basic,
        expected: 200,
    },
    Path {
        name: "accept-metrics",
        bare: false,
        metrics: true,
        known: true,
        authorize: bearer,
        expected: 200,
    },
    Path {
        name: "refuse-missing",
        bare: false,
        metrics: false,
        known: true,
        authorize: none,
        expected: 401,
    },
    Path {
        name: "refuse-malformed",
        bare: false,
        metrics: false,
        known: true,
        authorize: comma,
        expected: 400,
    },
    Path {
        name: "refuse-checksum",
        bare: false,
        metrics: false,
        known: true,
        authorize: halves,
        expected: 401,
    },
    Path {
        name: "refuse-unknown",
        bare: false,
        metrics: false,
        known: false,
        authorize: bearer,
        expected: 401,
    },
];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["paths"] => PATHS.iter().for_each(|path| println!("{}", path.name)),
        [name, gated, total] => {
            let path = PATHS.iter().find(|path| path.name == name).expect("no such path");
            let number = |text: &str| text.parse::<usize>().expect("not a number");
            path.run(number(gated), number(total));
        }
        // Also what `cargo bench -- WORD` asks of every bench.
        _ => {
            for path in &PATHS {
                let began = Instant::now();
                path.run(TRIED, TRIED);
                println!("{:<17} {TRIED} requests in {:?}", path.name, began.elapsed());
            }
            println!("benches/instructions-check counts the instructions of each, with valgrind.");
        }
    }
}

impl Path {
    /// Makes `total` requests, the first `gated` of them through the gate.
    fn run(&self, gated: usize, total: usize) {
        // What is random elsewhere is not here: keys come of a seed, and time stands still.
        let (keys, strangers) = (issue(1), issue(2));
        let (store, owner) = (MemoryStore::new(), account(0));
        for (index, key) in if self.known { &keys } else { &strangers }.iter().enumerate() {
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(&owner)).build();
            store.add_now(KeyHasher::sha256().digest(key.as_bytes()), record.expect("valid"));
        }
        let followers = keys.iter().cycle().skip(1);
        let requests: Vec<Request<()>> = keys
            .iter()
            .zip(followers)
            .map(|(key, next)| subject::request("/v1/users", (self.authorize)(key, next)))
            .collect();
        let (profile, extras) = match (self.bare, self.metrics) {
            (true, _) => (&BARE, Extras::None),
            (false, false) => (&PROFILE, Extras::Grant),
            (false, true) => (&PROFILE, Extras::Metrics),
        };
        if self.metrics {
            let recorder = PrometheusBuilder::new().build_recorder();
            metrics::set_global_recorder(recorder).expect("the only path of this run with metrics");
        }
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000));
        let mut gate = gate_on(clock, profile, &store, routes(), extras);
        let mut service = nothing();
        // What the first request of an account, of a page or of a thread sets up is not counted.
        for request in &requests {
            let status = call(&mut gate, request.clone()).status();
            assert_eq!(status.as_u16(), self.expected, "{}", self.name);
            free_served();
        }
        counted_requests(&mut gate, &mut service, &requests, gated, total);
    }
}

/// Makes the requests that are counted. Callgrind finds this function by its name.
#[inline(never)]
fn counted_requests(
    gate: &mut Gate,
    service: &mut Nothing,
    requests: &[Request<()>],
    gated: usize,
    total: usize,
) {
    let mut next = requests.iter().cycle().cloned();
    for request in next.by_ref().take(gated) {
        black_box(call(gate, black_box(request)));
        free_served();
    }
    for request in next.take(total.saturating_sub(gated)) {
        black_box(call(service, black_box(request)));
        free_served();
    }
}

fn bearer(key: &str, _: &str) -> Option<HeaderValue> {
    subject::bearer(key)
}

fn basic(key: &str, _: &str) -> Option<HeaderValue> {
    subject::basic(key)
}

fn none(_: &str, _: &str) -> Option<HeaderValue> {
    None
}

fn comma(key: &str, _: &str) -> Option<HeaderValue> {
    subject::bearer(&format!("{key},"))
}

/// Two halves of two keys fit the alphabet and the length, and not each other.
fn halves(key: &str, next: &str) -> Option<HeaderValue> {
    subject::bearer(&format!("{}{}", key.get(..20)?, next.get(20..)?))
}

fn issue(seed: u64) -> Vec<String> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..KEYS).map(|_| subject::key(&mut random)).collect()
}
