//! How an account stands under its quotas after a request.

use std::time::Duration;

use crate::key::MAX_QUOTAS;

/// The most quotas that apply to one request: the account's set and the route's.
const MAX_STANDINGS: usize = 2 * MAX_QUOTAS;

/// States what is left of one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The requests allowed in a window.
    pub limit: u32,
    /// The requests left.
    pub remaining: u32,
    /// The time until all of the limit is back.
    pub reset_after: Duration,
}

/// Says whether a request passed its quotas, and how each stands now, in the order in which they
/// were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    refused_for: Option<Duration>,
    standings: [Standing; MAX_STANDINGS],
    count: u8,
}

impl Verdict {
    /// Says that the request passed, until a quota refuses it.
    pub fn passed() -> Self {
        Self::default()
    }

    /// Adds what is left of the next quota; one past the eighth is left out.
    pub fn push(&mut self, standing: Standing) {
        if let Some(slot) = self.standings.get_mut(usize::from(self.count)) {
            *slot = standing;
            self.count += 1;
        }
    }

    /// Says that a quota refused the request, and for how long. Of several, the longest counts.
    pub fn refuse(&mut self, wait: Duration) {
        self.refused_for = self.refused_for.max(Some(wait));
    }

    /// Returns the time until the request could pass, `None` if it passed.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.refused_for
    }

    /// Returns what is left of each quota.
    pub fn standings(&self) -> &[Standing] {
        self.standings.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// Returns the place and the state of the quota nearest to its end: the fewest requests left,
    /// and on a tie the one that resets last.
    pub fn nearest(&self) -> Option<(usize, Standing)> {
        let nearness = |standing: &Standing| {
            let later = std::cmp::Reverse(standing.reset_after);
            (standing.remaining, later)
        };
        let standings = self.standings().iter().copied().enumerate();
        standings.min_by_key(|(_, standing)| nearness(standing))
    }
}

/// Rounds up to whole seconds, as `Retry-After` and `RateLimit-Reset` count.
pub(crate) const fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() > 0 { seconds.saturating_add(1) } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(remaining: u32, seconds: u64) -> Standing {
        Standing { limit: 10, remaining, reset_after: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_nearest_quota_has_fewest_left_and_resets_last() {
        for (standings, nearest) in [
            (&[][..], None),
            (&[standing(5, 60), standing(3, 3600)], Some(1)),
            (&[standing(2, 60), standing(3, 3600)], Some(0)),
            (&[standing(0, 60), standing(0, 3600)], Some(1)),
            (&[standing(0, 3600), standing(0, 60)], Some(0)),
            (&[standing(0, 60), standing(0, 60)], Some(0)),
        ] {
            let mut verdict = Verdict::passed();
            standings.iter().for_each(|standing| verdict.push(*standing));
            assert_eq!(verdict.nearest().map(|(index, _)| index), nearest, "{standings:?}");
            assert_eq!(verdict.standings(), standings);
        }
    }

    #[test]
    fn the_longest_wait_counts() {
        let mut verdict = Verdict::passed();
        assert_eq!(verdict.retry_after(), None);
        verdict.refuse(Duration::from_secs(5));
        verdict.refuse(Duration::from_secs(3));
        assert_eq!(verdict.retry_after(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (nanoseconds, seconds) in [(0, 0), (1, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_nanos(nanoseconds)), seconds);
        }
    }
}
