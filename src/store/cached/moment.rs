//! An instant by both clocks of a machine, and ages that no clock makes shorter.

use std::time::Duration;

use super::super::sure_age::sure_age;
use crate::clock::{Clock, Timestamp, nanoseconds};

/// An instant. Each clock alone may understate an age: the wall clock can be set back, and the steady clock
/// may stand still while the machine is suspended. So the longer age counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) wall: Timestamp,
    /// Nanoseconds of the steady clock.
    pub(super) steady: u64,
}

impl Moment {
    /// An instant that has not come, whatever the clocks say.
    pub(super) const NEVER: Self = Self { wall: Timestamp::MAX, steady: u64::MAX };

    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), steady: nanoseconds(clock.steady()) }
    }

    /// Returns the earlier of both, by each clock.
    pub(super) fn earlier(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), steady: self.steady.min(other.steady) }
    }

    pub(super) fn plus(self, duration: Duration) -> Self {
        let steady = self.steady.saturating_add(nanoseconds(duration));
        Self { wall: self.wall.plus(duration), steady }
    }

    /// Returns the nanoseconds from this instant to `now`, by the clock that says more. Returns `None` if
    /// this instant has not come: the clock was set back, and the age is unknown.
    pub(super) fn age(self, now: Self) -> Option<u64> {
        if self.wall > now.wall || self.steady > now.steady {
            return None;
        }
        Some(now.wall.nanoseconds_since(self.wall).max(now.steady - self.steady))
    }
}

/// How long an answer may be used.
#[derive(Debug, Clone, Copy)]
pub(super) struct AgeLimit {
    /// The limit itself, in nanoseconds.
    length: u64,
    /// The limit by the wall clock, which ends earlier by the lag of the clock.
    by_wall: u64,
    /// Up to this age, no reading without a lag is needed.
    surely: u64,
}

impl AgeLimit {
    pub(super) fn new(length: Duration, lag: Duration) -> Self {
        let (length, lag) = (nanoseconds(length), nanoseconds(lag));
        Self { length, by_wall: length.saturating_sub(lag), surely: sure_age(length, lag) }
    }

    /// Returns true if `now` is less than the limit after `start`.
    pub(super) fn holds(self, start: Moment, now: Moment, clock: &dyn Clock) -> bool {
        match start.age(now) {
            Some(age) if age < self.surely => true,
            Some(age) if age < self.by_wall => {
                nanoseconds(clock.exact_steady()).saturating_sub(start.steady) < self.length
            }
            _ => false,
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::store::sure_age::LateClock;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_late_tick_makes_no_limit_longer() {
        let (coarse, exact) = (ManualClock::default(), ManualClock::default());
        let late = LateClock { coarse: coarse.clone(), exact: exact.clone() };
        let (start, limit) = (Moment::now(&late), AgeLimit::new(5 * SECOND, late.lag()));
        let holds = || limit.holds(start, Moment::now(&late), &late);
        // The coarse clock is behind by half a second, as no tick came.
        exact.advance(Duration::from_nanos(4_999_999_999));
        coarse.advance(Duration::from_millis(4_500));
        assert!(holds());
        exact.advance(Duration::from_nanos(1));
        assert!(!holds(), "the coarse clock says 4.5 s");
    }

    #[test]
    fn the_longer_age_of_both_clocks_counts() {
        let at = |wall, steady| Moment { wall: Timestamp::from_unix_seconds(wall), steady };
        let start = at(100, 0);
        let seconds = |count: u64| count * 1_000_000_000;
        for (now, age) in [
            (at(103, seconds(3)), Some(seconds(3))),
            (at(101, seconds(3)), Some(seconds(3))), // set back by 2 s
            (at(103, seconds(1)), Some(seconds(3))), // suspended for 2 s
            (at(99, seconds(3)), None),              // set back by 4 s
        ] {
            assert_eq!(start.age(now), age, "{now:?}");
        }
        assert_eq!(Moment::NEVER.age(at(103, 3)), None);
    }
}
