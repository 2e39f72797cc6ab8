//! How long and how hard, from the environment.

use std::str::FromStr;
use std::time::Duration;

/// What a run is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// `SOAK_SECONDS`; ten, so that a plain `cargo test` stays quick.
    pub(crate) length: Duration,
    /// `SOAK_RATE`: requests a second, at most. Moderate, so that time and limits are what matters.
    pub(crate) rate: f64,
    /// `SOAK_SEED`: two runs with the same one choose alike, as far as time lets them.
    pub(crate) seed: u64,
}

impl Plan {
    pub(crate) fn from_environment() -> Self {
        let rate = if cfg!(debug_assertions) { 500.0 } else { 2_000.0 };
        Self {
            length: Duration::from_secs(variable("SOAK_SECONDS", 10)),
            rate: variable("SOAK_RATE", rate),
            seed: variable("SOAK_SEED", 6),
        }
    }

    /// Tells whether it is long enough to say something of memory, and of limits a minute long.
    pub(crate) fn is_long(&self) -> bool {
        self.length >= Duration::from_secs(60)
    }

    /// Returns how often the demo's memory is looked at: every five seconds, or a few times in a run
    /// that is short.
    pub(crate) fn interval(&self) -> Duration {
        (self.length / 12).min(Duration::from_secs(5))
    }
}

fn variable<T: FromStr>(name: &str, usual: T) -> T {
    let Ok(text) = std::env::var(name) else { return usual };
    text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
}
