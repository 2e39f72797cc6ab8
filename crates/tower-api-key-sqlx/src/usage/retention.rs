//! How long usage is kept.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long usage is kept: by hour for 35 days, and by day for 400 days, which are 13 months, unless set.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_sqlx::UsageRetention;
///
/// let week = Duration::from_secs(7 * 24 * 60 * 60);
/// let retention = UsageRetention::default().hours(week);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageRetention {
    pub(super) hours: Duration,
    pub(super) days: Duration,
}

impl UsageRetention {
    /// Sets how long requests are counted by hour. Older hours are rolled up to days.
    pub const fn hours(self, time: Duration) -> Self {
        Self { hours: time, ..self }
    }

    /// Sets how long requests are counted by day. Older days are deleted, and so are older sums by month, and last uses
    /// with their networks.
    pub const fn days(self, time: Duration) -> Self {
        Self { days: time, ..self }
    }
}

impl Default for UsageRetention {
    fn default() -> Self {
        Self { hours: DAY * 35, days: DAY * 400 }
    }
}
