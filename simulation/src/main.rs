//! Prints the figures of all scenarios.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes are few")]

use std::time::Instant;

use clap::Parser;
use simulation::report::Report;
use simulation::scenarios::Size;

/// Simulates a fleet of gates.
#[derive(Parser)]
struct Arguments {
    /// The nodes of the fleet.
    #[arg(long, default_value_t = 1_000)]
    nodes: u64,
    /// What random numbers depend on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The virtual minutes of each scenario: half a minute at least.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// The requests a second of each node.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Only scenarios whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() {
    let arguments = Arguments::parse();
    let Arguments { nodes, seed, minutes, rate, only } = arguments;
    let size = Size { nodes, rate, lasts: (minutes * 60_000.0) as u64 };
    let began = Instant::now();
    let written = Report { size, seed, only }.write(|row| {
        println!("{row}");
        Ok(())
    });
    eprintln!("took {:.1} s", began.elapsed().as_secs_f64());
    assert!(written.is_ok(), "rows are printed");
}
