//! Whether time tells what a response does not, after the method of dudect (Reparaz, Balasch and
//! Verbauwhede, 2017): classes of inputs are run one at a time in random order, and Welch's t says
//! whether their times are of one distribution.
//!
//! `cargo bench --bench timing` prints every figure and fails if one misses its bound; `-- --samples
//! 1000000` takes more samples of each class.
//!
//! * Keys that share all but their last four random characters with a real key, and keys that share
//!   none.
//! * Digests that share so many bytes with a stored one. The store's table looks at a record if four
//!   bytes agree, so four tell themselves apart from none; more than four must not from four.
//! * Keys that are unknown, and keys that are known and serve no more, through the whole gate.
//! * The same over a socket on loopback, with a tenth of the samples; these figures are printed only.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_precision_loss)] // Far below 2^52.

mod digests;
mod keys;
mod sampling;
mod socket;
mod states;
#[path = "../subject/mod.rs"]
mod subject;

use clap::Parser;

use sampling::Outcome;

#[derive(Parser)]
struct Options {
    /// Samples of each class.
    #[arg(long, default_value_t = 200_000)]
    samples: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let Options { samples, .. } = Options::parse();
    let mut outcome = Outcome::default();
    keys::measure(&mut outcome, samples);
    digests::measure(&mut outcome, samples);
    states::measure(&mut outcome, samples);
    socket::measure(&mut outcome, samples / 10);
    assert!(outcome.is_good(), "time tells what it must not");
}
