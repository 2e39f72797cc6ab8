//! What an observer gets of one wait.

use std::fmt;
use std::time::Duration;

use super::policy::Policy;
use super::request_counter::CounterOfLayer;

/// A wait of a request, as [`Observer::waited`](crate::Observer::waited) gets it.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::decision::{ObservedWait, WaitTarget};
/// use tower_api_key::Observer;
///
/// struct SlowStores;
///
/// impl Observer for SlowStores {
///     fn observes_requests(&self) -> bool {
///         true
///     }
///
///     fn waited(&self, wait: &ObservedWait<'_>) {
///         if wait.target() == WaitTarget::Store && wait.time() > Duration::from_millis(100) {
///             eprintln!("{}: the store took {:?}", wait.vendor(), wait.time());
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "metrics alone count waits"))]
pub struct ObservedWait<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) counter: &'a CounterOfLayer,
    pub(crate) vendor: &'a str,
    pub(crate) target: WaitTarget,
    pub(crate) outcome: WaitOutcome,
    pub(crate) time: Duration,
}

impl<'a> ObservedWait<'a> {
    /// Returns the [name of the profile](crate::Profile::name).
    pub const fn vendor(&self) -> &'a str {
        self.vendor
    }

    /// Returns what the request waited for.
    pub const fn target(&self) -> WaitTarget {
        self.target
    }

    /// Returns how the wait ended.
    pub const fn outcome(&self) -> WaitOutcome {
        self.outcome
    }

    /// Returns how long the request waited.
    pub const fn time(&self) -> Duration {
        self.time
    }
}

impl fmt::Debug for ObservedWait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObservedWait")
            .field("vendor", &self.vendor)
            .field("target", &self.target)
            .field("outcome", &self.outcome)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitTarget {
    /// The store looks a key up.
    Store,
    /// The limiter counts a request or a failed attempt, gives a cost back, or says what is left.
    Limiter,
    /// The limiter of simultaneous requests gives a permit, or the request waits in its queue.
    Permit,
}

impl WaitTarget {
    /// All targets.
    pub const ALL: [Self; 3] = [Self::Store, Self::Limiter, Self::Permit];

    /// Returns the name of the target, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Limiter => "limiter",
            Self::Permit => "permit",
        }
    }
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitOutcome {
    /// With an answer, whatever it was.
    Answered,
    /// Without a permit: all were taken.
    Refused,
    /// With an error.
    Failed,
}

impl WaitOutcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Refused, Self::Failed];

    /// Returns the name of the outcome, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Returns the outcome of an answer.
    pub(crate) const fn of<T, E>(answer: &Result<T, E>) -> Self {
        match answer {
            Ok(_) => Self::Answered,
            Err(_) => Self::Failed,
        }
    }
}
