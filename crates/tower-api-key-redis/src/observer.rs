//! The observer of a limiter.

use std::time::Duration;

/// Receives what a [`RedisLimiter`](crate::RedisLimiter) does for each charge, for example to count round trips.
///
/// Every method does nothing unless you write it. The limiter calls the methods on tasks of requests, so they must
/// return at once.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_redis::{RedisLimiter, RedisObserver};
///
/// struct Slow;
///
/// impl RedisObserver for Slow {
///     fn called(&self, time: Duration, has_failed: bool) {
///         if has_failed || time > Duration::from_millis(20) {
///             eprintln!("a call to Redis took {time:?}");
///         }
///     }
/// }
///
/// let limiter = RedisLimiter::builder("redis://127.0.0.1:6379").observer(Slow).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub trait RedisObserver: Send + Sync + 'static {
    /// Called for each charge, with the way in which the limiter answers it.
    fn charged(&self, way: ChargeWay) {
        let _ = way;
    }

    /// Called when a call that charges or refunds has ended. Several charges may share a call. The time is zero if the limiter made no call, because the
    /// server is down.
    fn called(&self, time: Duration, has_failed: bool) {
        let _ = (time, has_failed);
    }

    /// Called when a call for tokens begins. `accounts` is [`RedisLimiter::held`](crate::RedisLimiter::held).
    fn held(&self, accounts: usize) {
        let _ = accounts;
    }
}

/// The way in which a limiter answers a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeWay {
    /// By tokens in hand, or by a refusal in hand. No call is made.
    Held,
    /// The charge waits for a call that is under way for its account.
    Joined,
    /// By a call.
    Called,
}

impl ChargeWay {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Held, Self::Joined, Self::Called];

    /// Returns the name of the way, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Joined => "joined",
            Self::Called => "called",
        }
    }
}
