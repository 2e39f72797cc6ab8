//! The settings of a replica.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// What a replica does when it cannot prove that its records are young enough.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::store::WhenStale;
///
/// // A key that is revoked during an outage of the store passes for up to a minute longer.
/// let choice = WhenStale::ServeFor(Duration::from_secs(60));
/// assert_ne!(choice, WhenStale::Refuse);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenStale {
    /// Fails every lookup, so that the gate refuses with 503.
    #[default]
    Refuse,
    /// Answers by the old records for this much longer, and then fails every lookup. A key that is revoked meanwhile
    /// passes for staleness and grace together.
    ServeFor(Duration),
}

impl WhenStale {
    /// Returns for how much longer than the staleness records are used.
    pub(super) const fn grace(self) -> Duration {
        match self {
            Self::Refuse => Duration::ZERO,
            Self::ServeFor(grace) => grace,
        }
    }
}

/// The numbers of a replica, and its clock.
#[derive(Clone)]
pub(super) struct FollowSettings {
    pub(super) poll_interval: Duration,
    pub(super) staleness: Duration,
    pub(super) when_stale: WhenStale,
    pub(super) timeout: Duration,
    pub(super) page_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    /// The start of the random numbers. Random itself unless set.
    pub(super) jitter_seed: Option<u64>,
}

impl Default for FollowSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(1),
            staleness: Duration::from_secs(5),
            when_stale: WhenStale::Refuse,
            timeout: Duration::from_secs(2),
            page_timeout: Duration::from_secs(30),
            clock: Arc::new(SystemClock),
            jitter_seed: None,
        }
    }
}

impl FollowSettings {
    /// Returns how old records may be before no lookup is answered.
    pub(super) const fn longest(&self) -> Duration {
        self.staleness.saturating_add(self.when_stale.grace())
    }
}
