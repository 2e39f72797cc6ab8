//! What the gate costs, in ratios to what it is compared with, taken in one interleaved run.
//!
//! `cargo bench --bench gate` prints every measure with its target; `-- --only accept,refuse` some of
//! them, `-- --json FILE` writes them for `docs/plots`, `-- --keys 10000000` grows to ten million keys
//! (which takes 4 GB and some minutes).

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod accept;
mod contention;
mod growth;
mod harness;
mod peers;
mod refuse;
mod report;
mod steps;
mod store;
#[path = "../subject/mod.rs"]
mod subject;

use clap::Parser;

use report::Report;
use subject::Keys;

#[derive(Parser)]
struct Options {
    /// Measure only these: accept, steps, refuse, growth, routes, contention, store.
    #[arg(long, value_delimiter = ',')]
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
    if wanted("accept") {
        accept::measure(&mut report, &keys);
    }
    if wanted("steps") {
        steps::measure(&mut report, &keys);
    }
    if wanted("refuse") {
        refuse::measure(&mut report, &keys);
    }
    if wanted("routes") {
        growth::by_routes(&mut report, &keys);
    }
    if wanted("contention") {
        contention::measure(&mut report, &keys);
    }
    if wanted("store") {
        store::measure(&mut report, &keys);
    }
    drop(keys);
    if wanted("growth") {
        growth::by_keys(&mut report, options.keys);
    }
    if let Some(file) = options.json {
        std::fs::write(&file, report.json()).expect("the file can be written");
    }
    let (targets, met) = report.met();
    println!("{met} of {targets} targets met");
}
