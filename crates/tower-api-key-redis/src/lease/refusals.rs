//! The refusals of an account that the node repeats.

use super::batch::{aged, nanoseconds, wait_of};
use super::rule::Lease;
use crate::answer::Answer;
use tower_api_key::clock::Timestamp;
use tower_api_key::quota::Verdict;

/// The time for which the first refusal after a pass is repeated. Each further one is repeated for twice as long,
/// because tokens that other nodes hold may be given back soon, or never.
const FIRST_REFUSAL: u64 = 50_000_000;

/// The last refusal, and the number of refusals since the last answer that passed.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    kept: Option<KeptRefusal>,
    in_a_row: u32,
}

/// A refusal that the node repeats for a while.
#[derive(Debug)]
struct KeptRefusal {
    verdict: Verdict,
    at: Timestamp,
    /// The nanoseconds for which the refusal counts.
    counts: u64,
    cost: u32,
}

impl Refusals {
    /// Keeps the answer to a question that was asked at an instant.
    pub(super) fn keep(
        &mut self,
        asked: Timestamp,
        cost: u32,
        answer: Answer,
        lease: &Lease,
        is_of_this_clock: bool,
    ) {
        let mut refusal = KeptRefusal::new(asked, cost, answer, lease, is_of_this_clock);
        let longest = FIRST_REFUSAL.saturating_mul(1 << self.in_a_row.min(20));
        refusal.counts = refusal.counts.min(longest);
        (self.kept, self.in_a_row) = (Some(refusal), self.in_a_row.saturating_add(1));
    }

    /// Forgets all refusals, because an answer has passed.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Forgets the last refusal, whose age is unknown.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// Refuses a request of a cost, if the last refusal still counts at an instant.
    pub(super) fn verdict(&self, at: Timestamp, cost: u32) -> Option<Verdict> {
        let refusal = self.kept.as_ref().filter(|refusal| refusal.counts(at))?;
        (cost >= refusal.cost).then(|| refusal.verdict(at))
    }

    /// Refuses a request of a cost that waited for the last refusal.
    pub(super) fn last(&self, cost: u32) -> Option<Verdict> {
        let refusal = self.kept.as_ref()?;
        (cost >= refusal.cost).then(|| refusal.verdict.clone())
    }

    /// Returns true if the last refusal still counts at an instant.
    pub(super) fn counts(&self, at: Timestamp) -> bool {
        self.kept.as_ref().is_some_and(|refusal| refusal.counts(at))
    }
}

impl KeptRefusal {
    /// Creates a refusal from the answer to a question that was asked at an instant. Other nodes may give
    /// tokens back, so the refusal counts for a limited time. If the clock was set back since, it does not
    /// count.
    fn new(
        asked: Timestamp,
        cost: u32,
        answer: Answer,
        lease: &Lease,
        is_of_this_clock: bool,
    ) -> Self {
        let counts = wait_of(&answer.verdict).min(nanoseconds(lease.longest));
        let counts = if is_of_this_clock { counts } else { 0 };
        Self { verdict: answer.verdict, at: asked, counts, cost }
    }

    /// Returns the verdict for a refused request at an instant.
    fn verdict(&self, at: Timestamp) -> Verdict {
        aged(&self.verdict, 0, at.nanoseconds_since(self.at))
    }

    /// Returns true if the refusal still counts at an instant.
    fn counts(&self, at: Timestamp) -> bool {
        at.nanoseconds_since(self.at) < self.counts
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::question::Marks;
    use tower_api_key::quota::QuotaStatus;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    /// Keeps a refusal for a cost of 5, with a wait in seconds, that was asked for at an instant.
    fn keep(refusals: &mut Refusals, asked: u64, seconds: u64) {
        let mut verdict = Verdict::passed();
        verdict.push(QuotaStatus::new(1_000, 3, Duration::from_secs(60)));
        verdict.refuse(Duration::from_secs(seconds));
        let (marks, lasts) = (Marks::from_slice(&[[7, 0]]), Duration::ZERO);
        let answer = Answer { verdict, taken: 0, lasts, marks, served_at: 0, is_late: false };
        refusals.keep(at(asked), 5, answer, &Lease::new(), true);
    }

    #[test]
    fn a_refusal_counts_until_its_end_and_for_no_smaller_cost() {
        let mut refusals = Refusals::default();
        keep(&mut refusals, 0, 20);
        let wait = |refusals: &Refusals, now, cost| {
            refusals.verdict(at(now), cost).and_then(|verdict| verdict.retry_after())
        };
        assert_eq!(wait(&refusals, 40, 5), Some(Duration::from_millis(19_960)));
        assert_eq!(wait(&refusals, 40, 4), None);
        assert!(refusals.last(5).is_some() && refusals.last(4).is_none());
        assert_eq!(wait(&refusals, 50, 5), None, "others may have given tokens back");
        assert!(refusals.counts(at(49)) && !refusals.counts(at(50)));
        (0..30).for_each(|_| keep(&mut refusals, 20_000, 1));
        assert_eq!(wait(&refusals, 20_999, 5), Some(Duration::from_millis(1)));
        assert_eq!(wait(&refusals, 21_000, 5), None);
    }

    #[test]
    fn each_refusal_in_a_row_counts_for_twice_as_long() {
        let mut refusals = Refusals::default();
        let counts_until = |refusals: &mut Refusals, last| {
            keep(refusals, 0, 20);
            assert!(refusals.counts(at(last - 1)) && !refusals.counts(at(last)), "{last} ms");
        };
        for last in [50, 100, 200, 400] {
            counts_until(&mut refusals, last);
        }
        (0..30).for_each(|_| keep(&mut refusals, 0, 20));
        counts_until(&mut refusals, 10_000);
        refusals.end();
        counts_until(&mut refusals, 50);
        refusals.forget();
        assert!(!refusals.counts(at(0)));
        counts_until(&mut refusals, 100);
    }
}
