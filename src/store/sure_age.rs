//! Up to which age a clock in ticks can judge a limit.

/// Returns the age, in nanoseconds, up to which a reading with a lag is enough to judge a limit.
///
/// A clock in ticks may be behind by more than a tick, as on a machine whose processor is taken away. So the last
/// eighth of the limit is judged by an exact reading.
pub(super) fn sure_age(limit: u64, lag: u64) -> u64 {
    limit.saturating_sub(lag).min(limit - limit / 8)
}

/// A clock in ticks that are late. Its exact reading is right.
#[cfg(all(test, not(shuttle)))]
#[derive(Clone, Default)]
pub(super) struct LateClock {
    pub(super) coarse: crate::clock::ManualClock,
    pub(super) exact: crate::clock::ManualClock,
}

#[cfg(all(test, not(shuttle)))]
impl crate::clock::Clock for LateClock {
    fn now(&self) -> crate::clock::Timestamp {
        self.coarse.now()
    }

    fn lag(&self) -> std::time::Duration {
        std::time::Duration::from_millis(4)
    }

    fn steady(&self) -> std::time::Duration {
        self.coarse.steady()
    }

    fn exact_steady(&self) -> std::time::Duration {
        self.exact.steady()
    }
}
