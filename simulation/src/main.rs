//! Prints the figures of all scenarios.

use std::time::Instant;

use clap::Parser;
use simulation::report::{LimitRow, StoreRow};
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
    /// The virtual minutes of each scenario.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// The requests a second of each node.
    #[arg(long, default_value_t = 30.0)]
    rate: f64,
    /// Only scenarios whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() {
    let arguments = Arguments::parse();
    let (nodes, rate, seed) = (arguments.nodes, arguments.rate, arguments.seed);
    let size = Size { nodes, rate, lasts: (arguments.minutes * 60_000.0) as u64 };
    println!("{}", LimitRow::HEAD);
    for scenario in size.all().iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
        let began = Instant::now();
        let (name, bound, figures) = (scenario.name, scenario.bound, scenario.run(seed));
        println!("{}", LimitRow { name, bound, figures });
        eprintln!("{} took {:.1} s", scenario.name, began.elapsed().as_secs_f64());
    }
    println!("\n{}", StoreRow::HEAD);
    let all = size.all_stores();
    for scenario in all.iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
        let began = Instant::now();
        println!("{}", StoreRow { scenario, figures: scenario.run(seed) });
        eprintln!("{} took {:.1} s", scenario.name, began.elapsed().as_secs_f64());
    }
}
