//! The answer of a limiter: whether a request passed its quotas.

use std::time::Duration;

use super::applied::AppliedQuotas;
use super::quota::Quota;
use super::status::QuotaStatus;
use super::verdict_facts::{StatusFact, VerdictFacts};
use crate::clock::{Timestamp, nanoseconds};

/// The statuses that a verdict holds without an allocation, for example of a minute and an hour.
const FEW: usize = 2;

/// The answer of a limiter to a charge: whether the request passed, and what is left of each quota.
///
/// The statuses have the order of [`AppliedQuotas::iter`](super::AppliedQuotas::iter).
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{QuotaStatus, Verdict};
///
/// let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// let mut verdict = Verdict::passed();
/// verdict.push(QuotaStatus::new(100, 0, minute));
/// verdict.push(QuotaStatus::new(5_000, 4_900, hour));
/// assert_eq!(verdict.retry_after(), None);
///
/// verdict.refuse(minute);
/// assert_eq!(verdict.retry_after(), Some(minute));
/// assert_eq!(verdict.nearest(), Some((0, verdict.statuses()[0])));
///
/// verdict.push_in_shadow(QuotaStatus::new(10, 0, minute), true);
/// assert!(verdict.would_refuse(2) && verdict.shadow_refusals().eq([2]));
/// assert_eq!(verdict.nearest(), Some((0, verdict.statuses()[0])), "the shadow does not count");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The nanoseconds until the request could pass; 0 if it passed.
    wait: u64,
    facts: VerdictFacts,
    /// The instant of the charge by the limiter's clock. 0 if the limiter counts by the request's instant.
    taken_at: Timestamp,
    few: [QuotaStatus; FEW],
    /// All statuses, if there are more than `FEW`.
    #[expect(clippy::box_collection, reason = "few verdicts have it, and all are often copied")]
    many: Option<Box<Vec<QuotaStatus>>>,
}

impl Verdict {
    /// Creates the verdict of a request that passed. [`refuse`](Self::refuse) turns it into a refusal.
    pub fn passed() -> Self {
        Self::default()
    }

    /// Adds the status of the next quota.
    pub fn push(&mut self, status: QuotaStatus) {
        self.put(self.facts.count(), status);
    }

    /// Adds the status of the next quota, which is in shadow. Set `would_refuse` if the quota had no room for
    /// the cost, and all other quotas let the request pass.
    pub fn push_in_shadow(&mut self, status: QuotaStatus, would_refuse: bool) {
        self.put_in_shadow(self.facts.count(), would_refuse);
        self.push(status);
    }

    /// Adds a status for the next quota, of which it is unknown what is left.
    pub(crate) fn push_unknown(&mut self, full: QuotaStatus) {
        self.facts.note(StatusFact::Silent, self.facts.count());
        self.push(full);
    }

    /// Marks the quota at an index as one in shadow, and sets whether it would have refused the request.
    pub(crate) fn put_in_shadow(&mut self, index: usize, would_refuse: bool) {
        self.facts.note(StatusFact::Silent, index);
        if would_refuse {
            self.facts.note(StatusFact::WouldRefuse, index);
        }
    }

    /// Sets the status of the quota at an index. Indices may come in any order.
    pub(crate) fn put(&mut self, index: usize, status: QuotaStatus) {
        // A request has at most eight quotas.
        self.facts.count_to(index + 1);
        match self.few.get_mut(index) {
            Some(slot) if self.many.is_none() => *slot = status,
            _ => self.put_among_many(index, status),
        }
    }

    #[cold]
    fn put_among_many(&mut self, index: usize, status: QuotaStatus) {
        let many = self.many.get_or_insert_with(|| Box::new(self.few.to_vec()));
        many.resize(self.facts.count(), QuotaStatus::default());
        if let Some(slot) = many.get_mut(index) {
            *slot = status;
        }
    }

    /// Refuses the request for this long. If several quotas refuse, the longest wait counts.
    pub fn refuse(&mut self, wait: Duration) {
        self.refuse_for(nanoseconds(wait));
    }

    pub(crate) fn refuse_for(&mut self, nanoseconds: u64) {
        self.wait = self.wait.max(nanoseconds).max(1);
    }

    /// Returns the time until the request could pass; `None` if it passed.
    pub fn retry_after(&self) -> Option<Duration> {
        (self.wait > 0).then(|| Duration::from_nanos(self.wait))
    }

    /// Records the instant at which the limiter charged the request, by a clock of the limiter's own, such as a
    /// server's. The limiter gets it back with a [`Refund`](crate::limits::Refund).
    pub const fn set_taken_at(&mut self, instant: Timestamp) {
        self.taken_at = instant;
    }

    /// Returns the instant that [`set_taken_at`](Self::set_taken_at) has recorded.
    pub fn taken_at(&self) -> Option<Timestamp> {
        (self.taken_at > Timestamp::default()).then_some(self.taken_at)
    }

    /// Records that the limiter had no room for a counter of the caller's own, so that it counted a network together with
    /// others. The limiter gives nothing back of such a charge.
    pub const fn set_counted_together(&mut self) {
        self.facts.set_counted_together();
    }

    /// Returns true if the caller was [counted together](Self::set_counted_together) with others.
    pub const fn is_counted_together(&self) -> bool {
        self.facts.is_counted_together()
    }

    /// Returns true if the quota at an index is in shadow, and would have refused the request that the other
    /// quotas let pass.
    pub fn would_refuse(&self, index: usize) -> bool {
        self.facts.has(StatusFact::WouldRefuse, index)
    }

    /// Returns the indices of the quotas in shadow that would have refused the request.
    pub fn shadow_refusals(&self) -> impl Iterator<Item = usize> + use<> {
        self.facts.all(StatusFact::WouldRefuse)
    }

    /// Pairs the quotas of the request with their statuses, without those that no client may see.
    pub(crate) fn spoken_of<'a>(
        &'a self,
        quotas: AppliedQuotas<'a>,
    ) -> impl Iterator<Item = (&'a Quota, QuotaStatus)> {
        let all = quotas.iter().map(|(quota, _)| quota).zip(self.statuses().iter().copied());
        let spoken = all.enumerate().filter(|(index, _)| self.speaks_of(*index));
        spoken.map(|(_, stated)| stated)
    }

    /// Returns true if a client may see the status of the quota at an index.
    const fn speaks_of(&self, index: usize) -> bool {
        !self.facts.has(StatusFact::Silent, index)
    }

    /// Returns the status of each quota, in shadow or not. A quota whose status is unknown has all requests
    /// left.
    pub fn statuses(&self) -> &[QuotaStatus] {
        match &self.many {
            Some(many) => many,
            None => self.few.get(..self.facts.count()).unwrap_or_default(),
        }
    }

    /// Returns the index and the status of the quota with the fewest requests left. On a tie, the quota that
    /// resets last counts. A quota in shadow never counts.
    pub fn nearest(&self) -> Option<(usize, QuotaStatus)> {
        let nearness = |status: &QuotaStatus| {
            (status.remaining(), std::cmp::Reverse(status.reset_nanoseconds))
        };
        let statuses = self.statuses().iter().copied().enumerate();
        let enforced = statuses.filter(|(index, _)| self.speaks_of(*index));
        enforced.min_by_key(|(_, status)| nearness(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(remaining: u32, seconds: u64) -> QuotaStatus {
        QuotaStatus::new(10, remaining, Duration::from_secs(seconds))
    }

    #[test]
    fn the_nearest_quota_has_fewest_left_and_resets_last() {
        for (statuses, nearest) in [
            (&[][..], None),
            (&[status(5, 60), status(3, 3600)], Some(1)),
            (&[status(2, 60), status(3, 3600)], Some(0)),
            (&[status(0, 60), status(0, 3600)], Some(1)),
            (&[status(0, 3600), status(0, 60)], Some(0)),
            (&[status(0, 60), status(0, 60)], Some(0)),
            (&[status(9, 1), status(8, 1), status(7, 1), status(6, 1)], Some(3)),
        ] {
            let mut verdict = Verdict::passed();
            statuses.iter().for_each(|status| verdict.push(*status));
            assert_eq!(verdict.nearest().map(|(index, _)| index), nearest, "{statuses:?}");
            assert_eq!(verdict.statuses(), statuses);
        }
    }

    #[test]
    fn statuses_may_be_put_in_any_order() {
        let mut verdict = Verdict::passed();
        for index in [6, 0, 3, 1, 5, 2, 4] {
            verdict.put(index, status(9, index as u64));
        }
        verdict.put(1, status(2, 60));
        let left = verdict.statuses().iter().map(QuotaStatus::remaining);
        assert!(left.eq([9, 2, 9, 9, 9, 9, 9]), "{verdict:?}");
        assert_eq!(verdict.nearest(), Some((1, status(2, 60))));
    }

    #[test]
    fn a_quota_in_shadow_is_never_the_nearest() {
        for (shadows, nearest) in
            [(0b000, Some(2)), (0b100, Some(1)), (0b110, Some(0)), (0b111, None)]
        {
            let mut verdict = Verdict::passed();
            for (index, remaining) in [9, 8, 7].into_iter().enumerate() {
                if shadows >> index & 1 == 1 {
                    verdict.push_in_shadow(status(remaining, 60), index == 1);
                } else {
                    verdict.push(status(remaining, 60));
                }
            }
            assert_eq!(verdict.nearest().map(|(index, _)| index), nearest, "{shadows:b}");
            assert_eq!(verdict.statuses().len(), 3);
            let refusals: &[usize] = if shadows >> 1 & 1 == 1 { &[1] } else { &[] };
            assert!(verdict.shadow_refusals().eq(refusals.iter().copied()), "{shadows:b}");
            assert_eq!(verdict.would_refuse(1), !refusals.is_empty());
            assert!([0, 15, 16, 99].iter().all(|index| !verdict.would_refuse(*index)));
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
}
