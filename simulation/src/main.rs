//! Prints the figures of all scenarios.

use std::sync::Arc;
use std::time::{Duration, Instant};

use simulation::limits::LimitScenario;
use tower_api_key::quota::Quota;
use tower_api_key_redis::Lease;

fn main() {
    let began = Instant::now();
    let scenario = LimitScenario {
        name: "hot",
        nodes: 64,
        lasts: 60_000,
        from: 10_000,
        quota: Quota::new("window", 10_000, Duration::from_secs(10)),
        lease: Some(Lease::new()),
        accounts: 1,
        rate: Arc::new(|_, _| 30.0),
        shards: 1,
        cuts: vec![],
        deaths: vec![],
        drift: 0,
        steps: vec![],
    };
    println!("{:?}", scenario.run(1));
    eprintln!("{:?}", began.elapsed());
}
