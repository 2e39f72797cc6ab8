//! What the gate costs, in ratios to what it is compared with, taken in one interleaved run.
//!
//! `cargo bench --bench gate` prints every measure with its target; `-- --only accept,refuse` some of
//! them, `-- --json FILE` writes them for `docs/plots`, `-- --keys 10000000` grows to ten million keys
//! (which takes 4 GB and some minutes).

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod accept;
mod axum_service;
mod cached;
mod contention;
mod feed;
mod growth;
mod harness;
mod leases;
mod peers;
mod primitives;
mod redis_server;
mod refuse;
mod report;
mod steps;
mod store;
mod straight;
#[path = "../subject/mod.rs"]
mod subject;
mod telemetry;

use clap::Parser;

use report::Report;
use subject::Keys;

/// Measures a part of the table over a million keys.
type Measure = fn(&mut Report, &Keys);

const PARTS: [(&str, Measure); 12] = [
    ("primitives", primitives::measure),
    ("straight", straight::measure),
    ("accept", accept::measure),
    ("cached", cached::measure),
    ("leases", leases::measure),
    ("telemetry", telemetry::measure),
    ("axum", axum_service::measure),
    ("steps", steps::measure),
    ("refuse", refuse::measure),
    ("routes", growth::by_routes),
    ("contention", contention::measure),
    ("store", store::measure),
];
/// The part that makes its own keys.
const GROWTH: &str = "growth";

#[derive(Parser)]
struct Options {
    /// Measure only these: primitives, straight, accept, cached, leases, telemetry, axum, steps, refuse, routes,
    /// contention, store, growth.
    #[arg(long, value_delimiter = ',', value_parser = part)]
    only: Vec<String>,
    /// Write the figures to this file.
    #[arg(long)]
    json: Option<std::path::PathBuf>,
    /// The largest number of keys that growth is measured to.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    if store::measured_memory() {
        return;
    }
    let options = Options::parse();
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let mut report = Report::default();
    let keys = Keys::issue(1_000_000, 1);
    for (_, measure) in PARTS.iter().filter(|(name, _)| wanted(name)) {
        measure(&mut report, &keys);
    }
    drop(keys);
    if wanted(GROWTH) {
        growth::by_keys(&mut report, options.keys);
    }
    if let Some(file) = options.json {
        std::fs::write(&file, report.json()).expect("the file can be written");
    }
    let (targets, met) = report.met();
    println!("{met} of {targets} targets met");
}

/// Reads the name of a part.
fn part(name: &str) -> Result<String, String> {
    let is_known = name == GROWTH || PARTS.iter().any(|(part, _)| *part == name);
    if is_known { Ok(name.to_owned()) } else { Err("no such part".to_owned()) }
}
