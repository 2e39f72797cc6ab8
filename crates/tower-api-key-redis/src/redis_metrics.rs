//! The metrics of a limiter.

use std::fmt;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use super::observer::{ChargeWay, RedisObserver};

/// The charges, with the label `way`.
const CHARGES: &str = "tower_api_key_redis_charges_total";

/// The calls, with the label `outcome`.
const ROUND_TRIPS: &str = "tower_api_key_redis_round_trip_seconds";

/// The accounts whose tokens or refusals this process holds.
const LEASES: &str = "tower_api_key_redis_leases_held";

/// Counts what a [`RedisLimiter`](crate::RedisLimiter) does, by the [`metrics`] facade.
///
/// | metric | labels | is |
/// |---|---|---|
/// | `tower_api_key_redis_charges_total` | `way`: `held`, `joined` or `called` | charges, by how the limiter answers them |
/// | `tower_api_key_redis_round_trip_seconds` | `outcome`: `answered` or `failed` | a histogram of calls that charge or refund |
/// | `tower_api_key_redis_leases_held` | | accounts whose tokens or refusals this process holds |
///
/// Create it after your recorder is installed, because it keeps its handles.
///
/// ```
/// use tower_api_key_redis::{RedisLimiter, RedisMetrics};
///
/// let builder = RedisLimiter::builder("redis://127.0.0.1:6379");
/// let limiter = builder.observer(RedisMetrics::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub struct RedisMetrics {
    held: Counter,
    joined: Counter,
    called: Counter,
    answered: Histogram,
    failed: Histogram,
    leases: Gauge,
}

impl RedisMetrics {
    /// Describes the metrics to the recorder, and begins the counts at zero.
    pub fn new() -> Self {
        describe_counter!(CHARGES, "Charges, by how the limiter in Redis answers them.");
        describe_histogram!(ROUND_TRIPS, Unit::Seconds, "Calls to Redis that charge or refund.");
        describe_gauge!(LEASES, "Accounts whose tokens or refusals this process holds.");
        let charges = |way: ChargeWay| {
            let charges = counter!(CHARGES, "way" => way.name());
            charges.increment(0);
            charges
        };
        Self {
            held: charges(ChargeWay::Held),
            joined: charges(ChargeWay::Joined),
            called: charges(ChargeWay::Called),
            answered: histogram!(ROUND_TRIPS, "outcome" => "answered"),
            failed: histogram!(ROUND_TRIPS, "outcome" => "failed"),
            leases: gauge!(LEASES),
        }
    }
}

impl RedisObserver for RedisMetrics {
    fn charged(&self, way: ChargeWay) {
        let charges = match way {
            ChargeWay::Held => &self.held,
            ChargeWay::Joined => &self.joined,
            ChargeWay::Called => &self.called,
        };
        charges.increment(1);
    }

    fn called(&self, time: Duration, has_failed: bool) {
        let calls = if has_failed { &self.failed } else { &self.answered };
        calls.record(time);
    }

    fn held(&self, accounts: usize) {
        self.leases.set(u32::try_from(accounts).unwrap_or(u32::MAX));
    }
}

impl Default for RedisMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RedisMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedisMetrics")
    }
}
