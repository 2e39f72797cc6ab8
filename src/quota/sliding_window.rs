//! The sliding window, counted in parts.
//!
//! The window has [`SUBWINDOWS`] parts, and each part counts the requests that fall into it. A span of the
//! window's length that ends now touches the present part and the twelve parts before it. So the sum of these
//! parts is at least the number of requests in the span. The limit is never exceeded, and a request counts
//! for up to one part longer than it must.

use crate::clock::Timestamp;
use crate::quota::{Quota, SUBWINDOWS};

/// The number of parts that a sliding window counts: [`SUBWINDOWS`], and the present part.
pub const PARTS: usize = SUBWINDOWS as usize + 1;

/// The requests of each part. `counts[0]` is the part with the number `newest`, `counts[1]` the part before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SlidingWindow {
    /// The length of a part in nanoseconds, from the latest quota.
    part_length: u64,
    newest: u64,
    counts: [u32; PARTS],
}

/// Returns the length of one part of a sliding window in nanoseconds, rounded up, so that
/// [`SUBWINDOWS`] of them cover the window.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Algorithm, Quota, arithmetic};
///
/// let quota = Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(Algorithm::SlidingWindow);
/// assert_eq!(arithmetic::part_length(&quota), 5_000_000_000);
/// ```
pub fn part_length(quota: &Quota) -> u64 {
    quota.window_nanoseconds().div_ceil(u64::from(SUBWINDOWS)).max(1)
}

impl SlidingWindow {
    /// Moves the window to the part that `now` falls into. If the clock was set back, the counts stay, as if
    /// their requests had just come. They then refuse for up to one window more, and never admit more.
    #[inline]
    pub(crate) fn settle(&mut self, quota: &Quota, now: Timestamp) {
        self.part_length = part_length(quota);
        self.move_to(now);
    }

    fn move_to(&mut self, now: Timestamp) {
        let part = now.unix_nanoseconds() / self.part_length.max(1);
        let before = *self;
        let shift = usize::try_from(part.saturating_sub(before.newest)).unwrap_or(PARTS);
        self.newest = part;
        self.counts = [0; PARTS];
        for (to, from) in self.counts.iter_mut().skip(shift).zip(before.counts) {
            *to = from;
        }
    }

    fn used(&self) -> u32 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the nanoseconds until the part of this age no longer counts. The present part has age 0.
    fn expiry(&self, now: Timestamp, age: usize) -> u64 {
        let parts = (PARTS - age) as u64;
        let end = self.newest.saturating_add(parts).saturating_mul(self.part_length);
        Timestamp::from_unix_nanoseconds(end).nanoseconds_since(now)
    }

    pub(crate) fn wait(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> Option<u64> {
        self.settle(quota, now);
        let mut used = self.used();
        if cost <= quota.limit().saturating_sub(used) {
            return None;
        }
        for (age, count) in self.counts.iter().enumerate().rev() {
            used = used.saturating_sub(*count);
            if cost <= quota.limit().saturating_sub(used) {
                return Some(self.expiry(now, age));
            }
        }
        Some(quota.window_nanoseconds())
    }

    /// Takes a cost, which may be 0, from a window that was settled at this instant. Returns the requests
    /// left, and the nanoseconds until all are back.
    pub(crate) fn take(&mut self, quota: &Quota, now: Timestamp, cost: u32) -> (u32, u64) {
        if let Some(present) = self.counts.first_mut() {
            *present = present.saturating_add(cost);
        }
        let latest = self.counts.iter().position(|count| *count > 0);
        let reset = latest.map_or(0, |age| self.expiry(now, age));
        (quota.limit().saturating_sub(self.used()), reset)
    }

    /// Gives back a cost that was taken at an instant, from the part that the instant falls into. A count at
    /// the largest number may have forgotten some, so it stays.
    pub(crate) fn refund(&mut self, taken_at: Timestamp, cost: u32) {
        let part = taken_at.unix_nanoseconds() / self.part_length.max(1);
        let age = self.newest.checked_sub(part).and_then(|age| usize::try_from(age).ok());
        let count = age.and_then(|age| self.counts.get_mut(age));
        if let Some(count) = count.filter(|count| **count < u32::MAX) {
            *count = count.saturating_sub(cost);
        }
    }

    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        let mut settled = *self;
        settled.move_to(now);
        settled.used() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const QUOTA: Quota = Quota::new("minute", 10, Duration::from_secs(60));
    // A whole number of parts after the epoch, so that the parts begin at multiples of five.
    const START: Timestamp = Timestamp::from_unix_seconds(1_000_020);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn status(window: &mut SlidingWindow, now: Timestamp) -> (u32, u64) {
        window.settle(&QUOTA, now);
        window.take(&QUOTA, now, 0)
    }

    #[test]
    fn a_part_counts_until_the_window_has_left_it_whole() {
        let mut window = SlidingWindow::default();
        window.settle(&QUOTA, at(3));
        window.take(&QUOTA, at(3), 10);
        assert_eq!(status(&mut window, at(3)), (0, 62 * SECOND));
        assert!(!window.is_idle(at(64)) && window.is_idle(at(65)));
        assert_eq!(window.wait(&QUOTA, at(62), 1), Some(3 * SECOND));
        assert_eq!(window.wait(&QUOTA, at(65), 10), None);
    }

    #[test]
    fn the_reset_is_the_end_of_the_latest_part_that_counts() {
        let mut window = SlidingWindow::default();
        for (time, cost) in [(0, 3), (20, 4)] {
            window.settle(&QUOTA, at(time));
            window.take(&QUOTA, at(time), cost);
        }
        for (time, left, reset) in [(20, 3, 65), (27, 3, 58), (66, 6, 19), (84, 6, 1), (85, 10, 0)]
        {
            assert_eq!(status(&mut window, at(time)), (left, reset * SECOND), "at {time} s");
        }
    }

    #[test]
    fn the_wait_ends_when_enough_parts_have_left() {
        let mut window = SlidingWindow::default();
        window.settle(&QUOTA, at(0));
        window.take(&QUOTA, at(0), 4);
        window.settle(&QUOTA, at(20));
        window.take(&QUOTA, at(20), 6);
        assert_eq!(window.wait(&QUOTA, at(20), 4), Some(45 * SECOND));
        assert_eq!(window.wait(&QUOTA, at(20), 5), Some(65 * SECOND));
        assert_eq!(window.wait(&QUOTA, at(20), 11), Some(60 * SECOND));
    }

    #[test]
    fn no_span_of_the_window_ever_holds_more_than_the_limit() {
        let mut window = SlidingWindow::default();
        let mut passed: Vec<u64> = Vec::new();
        let (mut state, mut now) = (7u64, 0u64);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (state >> 33) % 3_000; // milliseconds
            let instant = START.plus(Duration::from_millis(now));
            if window.wait(&QUOTA, instant, 1).is_none() {
                window.settle(&QUOTA, instant);
                window.take(&QUOTA, instant, 1);
                passed.push(now);
            }
        }
        let worst = passed.windows(11).map(|span| span[10] - span[0]).min().unwrap();
        assert!(worst >= 60_000, "11 requests within {worst} ms");
        assert!(passed.len() > 3_000, "nearly 10 a minute pass: {}", passed.len());
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_a_window_and_a_part() {
        let mut window = SlidingWindow::default();
        window.settle(&QUOTA, at(100_000));
        window.take(&QUOTA, at(100_000), 10);
        assert_eq!(window.wait(&QUOTA, at(0), 1), Some(65 * SECOND));
        assert_eq!(window.wait(&QUOTA, at(64), 1), Some(SECOND));
        assert_eq!(window.wait(&QUOTA, at(65), 1), None);
    }
}
