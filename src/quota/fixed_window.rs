//! The fixed window, which the first request after the last window ended opens. It has a fixed length, or ends
//! with the day or month.

use super::calendar::Period;
use crate::clock::Timestamp;
use crate::quota::Quota;

/// A counter of the requests in the open window.
///
/// Around a boundary at most `2 × limit - 1` requests pass within one window's length, because the request that
/// opened the window came at its beginning. A calendar window never reaches over the end of its day or
/// month, so at most `limit` requests pass in each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FixedWindow {
    ends: Timestamp,
    used: u32,
}

impl FixedWindow {
    /// Closes the window if it is over. A clock set back must not lock an account out, so the window never
    /// ends later than one that would open now.
    #[inline]
    pub(crate) fn settle(&mut self, quota: &Quota, now: Timestamp) {
        if self.is_idle(now) {
            *self = Self::default();
        }
        self.ends = self.ends.min(now.plus_nanoseconds(length(quota, now)));
    }

    /// Returns the nanoseconds until the open window ends, or until the end of one that would open now.
    fn reset(&self, quota: &Quota, now: Timestamp) -> u64 {
        let open = self.ends.nanoseconds_since(now);
        if open == 0 { length(quota, now) } else { open }
    }

    pub(crate) fn wait(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> Option<u64> {
        self.settle(quota, now);
        let fits = cost <= quota.limit().saturating_sub(self.used);
        (!fits).then(|| self.reset(quota, now))
    }

    /// Takes a cost, which may be 0, from a window that was settled at this instant. Returns the requests left,
    /// and the nanoseconds until all are back.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> (u32, u64) {
        let reset = self.reset(quota, now);
        if cost > 0 {
            self.ends = now.plus_nanoseconds(reset);
            self.used = self.used.saturating_add(cost);
        }
        (quota.limit().saturating_sub(self.used), reset)
    }

    /// Gives back a cost that was taken at an instant, if the open window had begun by then. Closes a window in
    /// which no request is left to count. A count at the largest number may have forgotten some, so it stays.
    pub(crate) fn refund(&mut self, quota: &Quota, taken_at: Timestamp, cost: u32) {
        let began_before = match Period::of(quota.algorithm(), taken_at) {
            Some(period) => period.ends() == self.ends,
            None => self.ends.nanoseconds_since(taken_at) <= quota.window_nanoseconds(),
        };
        if began_before && taken_at < self.ends && self.used < u32::MAX {
            self.used = self.used.saturating_sub(cost);
            if self.used == 0 {
                *self = Self::default();
            }
        }
    }

    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        self.ends <= now
    }
}

/// Returns the length of a window that opens now, in nanoseconds.
fn length(quota: &Quota, now: Timestamp) -> u64 {
    let period = Period::of(quota.algorithm(), now);
    period.map_or(quota.window_nanoseconds(), |period| period.ends().nanoseconds_since(now))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const QUOTA: Quota = Quota::new("minute", 3, Duration::from_secs(60));
    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn status(window: &mut FixedWindow, now: Timestamp) -> (u32, u64) {
        window.settle(&QUOTA, now);
        window.take(&QUOTA, now, 0)
    }

    #[test]
    fn the_first_request_opens_the_window() {
        let mut window = FixedWindow::default();
        for (second, wait, remaining, reset) in [
            (7, None, 2, 60),
            (10, None, 1, 57),
            (66, None, 0, 1),
            (66, Some(1), 0, 1),
            (67, None, 2, 60), // a new window, opened now
        ] {
            let now = at(second);
            let waits = window.wait(&QUOTA, now, 1);
            assert_eq!(waits, wait.map(|wait| wait * SECOND), "{second}");
            if waits.is_none() {
                window.settle(&QUOTA, now);
                window.take(&QUOTA, now, 1);
            }
            let expected = (remaining, reset * SECOND);
            assert_eq!(status(&mut window, now), expected, "{second}");
        }
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_a_window() {
        let mut window = FixedWindow::default();
        window.settle(&QUOTA, at(100_000));
        window.take(&QUOTA, at(100_000), 3);
        assert_eq!(window.wait(&QUOTA, at(0), 1), Some(60 * SECOND));
        assert_eq!(window.wait(&QUOTA, at(59), 1), Some(SECOND));
        assert_eq!(window.wait(&QUOTA, at(60), 1), None);
    }

    #[test]
    fn a_cost_is_taken_whole_or_not_at_all() {
        let mut window = FixedWindow::default();
        assert!(window.wait(&QUOTA, at(0), 4).is_some());
        window.settle(&QUOTA, at(0));
        window.take(&QUOTA, at(0), 2);
        assert!(window.wait(&QUOTA, at(0), 2).is_some());
        assert!(window.wait(&QUOTA, at(0), 1).is_none());
        assert!(window.wait(&QUOTA, at(0), 0).is_none());
    }
}
