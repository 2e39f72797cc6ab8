//! The demand of one account on this node, from which the size of its next batch follows.

use std::time::Duration;

use super::rule::Lease;
use tower_api_key::clock::Timestamp;
use tower_api_key::quota::{Algorithm, Quota};

/// A batch is at most one in this many of the tokens that the node spent lately. So what all nodes hold is at most
/// about as many of what the fleet spent lately, however many nodes there are.
const SHARE: f32 = 4.0;
/// The same of a node whose requests have come for a whole span, without a pause.
const STEADY_SHARE: f32 = 2.0;

/// A node takes at most one in this many of the tokens that are left.
const LEFT: u32 = 8;
/// The same of a steady node.
const STEADY_LEFT: u32 = 4;

/// The shortest and the longest time without a use after which a batch is given back, if the account is busier
/// than that.
const QUIET: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

/// The mean gaps between uses that may pass before a batch counts as unused. Of gaps at random one in 55 is longer.
const GAPS: f32 = 4.0;

/// The longest time over which spent tokens count.
const LONGEST_SPAN: Duration = Duration::from_secs(3_600);

/// The time scale of an account's quotas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// The time over which spent tokens count: the shortest window, and at most the longest time of a lease or an hour.
    span: Duration,
    /// The parts of a span for which tokens can be held, at least: a batch for longer would end unspent.
    parts: f32,
}

/// The tokens that were spent lately. Their number decays: by two thirds over a span without a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Demand {
    spent: f32,
    at: Timestamp,
    /// The instant since which requests have come without a long pause.
    since: Timestamp,
}

impl Pace {
    pub(super) fn new<'a>(quotas: impl Iterator<Item = &'a Quota> + Clone, lease: &Lease) -> Self {
        let window = |quota: &Quota| match quota.algorithm() {
            Algorithm::CalendarDay | Algorithm::CalendarMonth => lease.longest,
            _ => quota.window(),
        };
        let span = quotas.clone().map(window).fold(lease.longest, Duration::min);
        let span = span.clamp(Duration::from_millis(1), LONGEST_SPAN);
        // Tokens can be held for a part of a sliding window, and for a sixteenth of a bucket's.
        let parts = |quota: &Quota| {
            let lives = match quota.algorithm() {
                Algorithm::SlidingWindow => 8.0,
                Algorithm::LeakyBucket => 16.0,
                _ => return 1.0,
            };
            lives * span.as_secs_f32() / quota.window().as_secs_f32()
        };
        Self { span, parts: quotas.map(parts).fold(1.0, f32::max) }
    }

    /// Returns the longest time for which a batch is held, which is twice as long as the demand should need for it.
    pub(super) fn life(&self) -> Duration {
        self.span / 2
    }
}

impl Demand {
    /// Adds tokens that were spent by an instant.
    pub(super) fn add(&mut self, tokens: u32, at: Timestamp, pace: &Pace) {
        self.age(at, pace);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let tokens = tokens as f32;
        self.spent += tokens;
    }

    /// Lets the demand decay until an instant.
    pub(super) fn age(&mut self, at: Timestamp, pace: &Pace) {
        let passed = at.since(self.at);
        if passed > pace.span * 3 / 4 || at < self.since {
            self.since = at;
        }
        self.spent *= (-passed.as_secs_f32() / pace.span.as_secs_f32()).exp();
        self.at = at;
    }

    fn is_steady(&self, pace: &Pace) -> bool {
        self.at.since(self.since) >= pace.span
    }

    /// Returns the `n` of the `n`th part of what is left, which a batch may be at most.
    pub(super) fn left(&self, pace: &Pace) -> u32 {
        if self.is_steady(pace) { STEADY_LEFT } else { LEFT }
    }

    /// Called when a batch was not used. Half of the demand counts as gone.
    pub(super) fn halve(&mut self) {
        self.spent /= 2.0;
    }

    /// Returns the number of tokens that the next batch should have, at least 1.
    pub(super) fn want(&self, pace: &Pace, most: u32) -> u32 {
        let share = if self.is_steady(pace) { STEADY_SHARE } else { SHARE };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let want = (self.spent / share.max(pace.parts)).round() as u32;
        want.clamp(1, most)
    }

    /// Returns the time without a use after which a batch should be given back.
    pub(super) fn patience(&self, pace: &Pace) -> Duration {
        let [shortest, longest] = QUIET;
        let least = (pace.span / 16).clamp(shortest, longest);
        let gaps = pace.span.as_secs_f32() * GAPS / self.spent.max(1.0);
        least.max(Duration::from_secs_f32(gaps)).min(pace.life())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Lease = Lease::new();

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    fn pace(quotas: &[Quota]) -> Pace {
        Pace::new(quotas.iter(), &LEASE)
    }

    #[test]
    fn a_batch_is_a_quarter_of_what_was_spent_lately_and_shrinks_with_time() {
        let pace = pace(&[Quota::new("minute", 1_000, Duration::from_secs(60))]);
        let mut demand = Demand::default();
        assert_eq!(demand.want(&pace, 1_000), 1);
        demand.add(400, at(0), &pace);
        assert_eq!(demand.want(&pace, 1_000), 100);
        assert_eq!(demand.want(&pace, 10), 10);
        for (milliseconds, expected) in [(10_000, 37), (20_000, 14), (60_000, 1), (60_001, 1)] {
            demand.age(at(milliseconds), &pace);
            assert_eq!(demand.want(&pace, 1_000), expected, "{milliseconds}");
        }
        demand.add(400, at(60_001), &pace);
        demand.halve();
        assert_eq!(demand.want(&pace, 1_000), 50);
        demand.age(at(50_000), &pace);
        assert_eq!(demand.want(&pace, 1_000), 50, "a clock set back ages nothing");
    }

    #[test]
    fn a_batch_is_larger_after_a_span_of_requests_without_a_pause() {
        let pace = pace(&[Quota::new("second", 1_000, Duration::from_secs(1))]);
        let mut demand = Demand::default();
        for (milliseconds, share, left) in [
            (0, 4, 8),
            (700, 4, 8),
            (999, 4, 8),
            (1_000, 2, 4),
            (1_750, 2, 4),
            (2_501, 4, 8), // After a pause.
            (3_200, 4, 8),
            (3_501, 2, 4),
            (100, 4, 8), // The clock was set back.
        ] {
            demand.age(at(milliseconds), &pace);
            demand.spent = 400.0;
            let expected = (400 / share, left);
            assert_eq!((demand.want(&pace, 1_000), demand.left(&pace)), expected, "{milliseconds}");
        }
    }

    #[test]
    fn the_span_is_the_shortest_window_and_the_share_is_what_can_be_held() {
        let seconds = Duration::from_secs;
        let quota =
            |window, algorithm| Quota::new("q", 100, seconds(window)).with_algorithm(algorithm);
        for (quotas, span, parts) in [
            (vec![quota(1, Algorithm::FixedWindow), Quota::by_day("day", 9)], seconds(1), 1.0),
            (vec![Quota::by_month("month", 9)], seconds(10), 1.0),
            (vec![quota(3_600, Algorithm::SlidingWindow)], seconds(10), 1.0),
            (vec![quota(10, Algorithm::SlidingWindow)], seconds(10), 8.0),
            (vec![quota(20, Algorithm::LeakyBucket)], seconds(10), 8.0),
            (vec![quota(1, Algorithm::LeakyBucket)], seconds(1), 16.0),
        ] {
            assert_eq!(pace(&quotas), Pace { span, parts }, "{quotas:?}");
        }
    }

    #[test]
    fn a_lease_without_an_end_counts_an_hour() {
        let lease = Lease::new().lasting(Duration::MAX);
        let pace = Pace::new([Quota::by_month("month", 9)].iter(), &lease);
        assert_eq!(pace, Pace { span: LONGEST_SPAN, parts: 1.0 });
        let mut demand = Demand::default();
        demand.add(400, at(0), &pace);
        assert_eq!(demand.want(&pace, 1_000), 100);
    }

    #[test]
    fn a_busy_account_is_soon_quiet_and_a_slow_one_later() {
        let milliseconds = Duration::from_millis;
        for (window, spent, expected) in
            [(1, 1_000, 62), (10, 1_000, 250), (10, 80, 500), (10, 2, 5_000), (3_600, 0, 5_000)]
        {
            let pace = pace(&[Quota::new("q", 1_000, Duration::from_secs(window))]);
            let mut demand = Demand::default();
            demand.add(spent, at(0), &pace);
            let patience = demand.patience(&pace);
            assert!(patience.abs_diff(milliseconds(expected)) <= milliseconds(1), "{patience:?}");
        }
    }
}
