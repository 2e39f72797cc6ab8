//! The tokens of one account that this node holds, as plain functions of answers and instants.

use std::mem;

use super::batch::{Batch, KeptRefusal};
use super::rule::Lease;
use crate::answer::Answer;
use crate::question::Unspent;
use tower_api_key::clock::Timestamp;
use tower_api_key::limits::MAX_DISORDER;
use tower_api_key::quota::Verdict;

/// The shortest time for which tokens are taken in advance, in microseconds.
pub(super) const SHORTEST: u64 = 20_000;

/// The tokens of an account, and its last refusal, under the same quotas.
#[derive(Debug, Default)]
pub(super) struct AccountLease {
    latest: Timestamp,
    /// The number of tokens that the next batch should have.
    want: u32,
    batch: Option<Batch>,
    refusal: Option<KeptRefusal>,
}

/// The instant, the wanted tokens and the returned tokens of the next question.
pub(super) struct BatchQuestion {
    pub(super) at: Timestamp,
    pub(super) want: u32,
    pub(super) back: Option<Unspent>,
}

impl AccountLease {
    /// Puts an instant in order with those before. If the clock was set back, the age of the batch and the
    /// refusal is unknown, so both are dropped.
    fn in_order(&mut self, now: Timestamp) -> Timestamp {
        if self.latest.since(now) > MAX_DISORDER {
            self.latest = now;
            self.batch = None;
            self.refusal = None;
        }
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Answers a request if this needs no call. Takes the request's cost, unless `looks` is set.
    pub(super) fn answer(&mut self, now: Timestamp, cost: u32, looks: bool) -> Option<Verdict> {
        let at = self.in_order(now);
        if let Some(batch) = self.batch.as_mut().filter(|batch| at < batch.ends)
            && batch.unspent >= cost.max(1)
        {
            batch.unspent -= if looks { 0 } else { cost };
            return Some(batch.verdict(at));
        }
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.counts(at))?;
        (cost >= refusal.cost).then(|| refusal.verdict(at))
    }

    /// Answers a request that came earlier, at the latest known instant.
    pub(super) fn answer_now(&mut self, cost: u32) -> Option<Verdict> {
        self.answer(self.latest, cost, false)
    }

    /// Prepares a question for more tokens. If the last batch was spent early, the next should be twice as
    /// large. If it was not spent in time, the next should be as large as the spent part, and the rest is
    /// given back.
    pub(super) fn prepare(&mut self, now: Timestamp, lease: &Lease) -> BatchQuestion {
        let at = self.in_order(now);
        let mut back = None;
        if let Some(batch) = &mut self.batch {
            let life = batch.ends.nanoseconds_since(batch.taken);
            if batch.unspent > 0 && at >= batch.ends {
                self.want = batch.size - batch.unspent;
            } else if at < batch.taken.plus_nanoseconds(life / 2) && batch.size >= self.want {
                // A batch smaller than wanted would not show how many tokens the account can spend.
                self.want = batch.size.saturating_mul(2);
            }
            // The tokens are given back, so no request may spend them from here on.
            let tokens = mem::take(&mut batch.unspent);
            back = (tokens > 0).then(|| Unspent { tokens, marks: batch.marks.clone() });
        }
        self.want = self.want.clamp(1, lease.most);
        BatchQuestion { at, want: self.want, back }
    }

    /// Stores the answer to a question that was asked at an instant, for a cost. If the clock was set back
    /// since, the answer's age is unknown. It then counts only for the requests that it was asked for.
    pub(super) fn settle(&mut self, asked: Timestamp, cost: u32, answer: Answer, lease: &Lease) {
        let is_of_this_clock = asked <= self.latest;
        if answer.verdict.retry_after().is_some() {
            self.refusal = Some(KeptRefusal::new(asked, cost, answer, lease, is_of_this_clock));
            return;
        }
        self.refusal = None;
        self.batch = Some(Batch::new(asked, answer, lease, is_of_this_clock));
    }

    /// Pays for a waiting request from an answer that has just come.
    pub(super) fn pay(&mut self, cost: u32) -> Option<Verdict> {
        let batch = self.batch.as_mut()?;
        batch.unspent = batch.unspent.checked_sub(cost)?;
        Some(batch.verdict(batch.taken))
    }

    /// Refuses a waiting request if its cost is at least that of the refused one.
    pub(super) fn refuse(&self, cost: u32) -> Option<Verdict> {
        let refusal = self.refusal.as_ref()?;
        (cost >= refusal.cost).then(|| refusal.verdict.clone())
    }

    /// Returns true if the node holds no tokens and no refusal of the account. To drop it then loses only the
    /// size of the next batch.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let holds = |batch: &Batch| batch.unspent > 0 && now < batch.ends;
        !self.batch.as_ref().is_some_and(holds)
            && !self.refusal.as_ref().is_some_and(|refusal| refusal.counts(now))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::question::Marks;
    use tower_api_key::quota::QuotaStatus;

    const LEASE: Lease = Lease::new();

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    fn answer(taken: u32, remaining: u32) -> Answer {
        let mut verdict = Verdict::passed();
        verdict.push(QuotaStatus::new(1_000, remaining, Duration::from_secs(60)));
        let lasts = Duration::from_secs(8);
        Answer { verdict, taken, lasts, marks: Marks::from_slice(&[[7, 0]]) }
    }

    fn refusal(seconds: u64) -> Answer {
        let mut answer = answer(0, 3);
        answer.verdict.refuse(Duration::from_secs(seconds));
        answer
    }

    fn remaining(verdict: Option<Verdict>) -> Option<u32> {
        verdict.filter(|it| it.retry_after().is_none()).map(|it| it.statuses()[0].remaining())
    }

    /// Returns an account that has just got tokens.
    fn held(taken: u32) -> AccountLease {
        let mut held = AccountLease::default();
        held.prepare(at(0), &LEASE);
        held.settle(at(0), 1, answer(taken, 500), &LEASE);
        held
    }

    #[test]
    fn tokens_are_spent_once_and_not_for_longer_than_they_last() {
        let mut held = held(10);
        assert_eq!(remaining(held.pay(1)), Some(509));
        assert_eq!(remaining(held.answer(at(100), 4, false)), Some(505));
        assert_eq!(remaining(held.answer(at(100), 1, true)), Some(505), "a look takes nothing");
        assert!(held.answer(at(100), 6, false).is_none(), "five are left");
        let verdict = held.answer(at(7_900), 4, false).unwrap();
        assert_eq!(verdict.statuses()[0].reset_after(), Duration::from_millis(52_100));
        // 8 s, less a thousandth and a tick.
        let ends = at(7_982);
        let just_before = Timestamp::from_unix_nanoseconds(ends.unix_nanoseconds() - 1);
        assert!(held.answer(just_before, 0, true).is_some());
        assert!(held.answer(ends, 1, false).is_none());
        assert!(held.is_idle(ends) && !held.is_idle(just_before));
    }

    #[test]
    fn tokens_that_are_given_back_are_not_spent_and_not_given_back_again() {
        let mut held = held(10);
        assert!(held.pay(3).is_some());
        let back = held.prepare(at(9_000), &LEASE).back.unwrap();
        assert_eq!((back.tokens, back.marks.as_slice()), (7, &[[7, 0]][..]));
        assert!(held.answer(at(9_000), 1, false).is_none() && held.pay(1).is_none());
        assert!(held.prepare(at(9_000), &LEASE).back.is_none());
    }

    #[test]
    fn a_busy_account_wants_more_and_a_quiet_one_less() {
        let mut held = AccountLease::default();
        for (now, expected) in [(0, 1), (10, 2), (20, 4), (30, 8)] {
            let want = held.prepare(at(now), &LEASE).want;
            assert_eq!(want, expected, "{now}");
            held.settle(at(now), 1, answer(want, 500), &LEASE);
            assert!(held.pay(want).is_some());
        }
        // Spent, but late.
        assert_eq!(held.prepare(at(4_100), &LEASE).want, 8);
        held.settle(at(4_100), 1, answer(8, 500), &LEASE);
        assert!(held.pay(3).is_some());
        assert_eq!(held.prepare(at(20_000), &LEASE).want, 3, "three were spent");
        // A batch smaller than wanted does not show how many could be spent.
        held.settle(at(20_000), 1, answer(2, 5), &LEASE);
        assert!(held.pay(2).is_some());
        assert_eq!(held.prepare(at(20_001), &LEASE).want, 3);
        let few = LEASE.at_most(NonZeroU32::MIN);
        assert_eq!(held.prepare(at(20_001), &few).want, 1);
    }

    #[test]
    fn the_size_of_the_next_batch_depends_on_half_the_life_of_the_last_and_on_its_end() {
        // Ten were taken, for 7.982 s, when one was wanted.
        for (spent, now, expected) in [
            (10, 3_990, 20),
            (10, 3_991, 1),
            (10, 7_982, 1),
            (3, 3_990, 20), // a request of a cost over the seven that are left
            (3, 7_981, 1),
            (3, 7_982, 3),
        ] {
            let mut held = held(10);
            assert!(held.pay(spent).is_some());
            assert_eq!(held.prepare(at(now), &LEASE).want, expected, "{spent} by {now} ms");
        }
    }

    #[test]
    fn an_account_without_tokens_is_idle() {
        let mut held = held(10);
        assert!(held.pay(9).is_some());
        assert!(!held.is_idle(at(1)));
        assert!(held.pay(1).is_some());
        assert!(held.is_idle(at(1)));
    }

    #[test]
    fn a_refusal_counts_until_its_end_and_for_no_smaller_cost() {
        let mut held = held(1);
        assert!(held.pay(1).is_some());
        held.settle(at(0), 5, refusal(20), &LEASE);
        let wait = |held: &mut AccountLease, now, cost| {
            held.answer(at(now), cost, false).and_then(|verdict| verdict.retry_after())
        };
        assert_eq!(wait(&mut held, 4_000, 5), Some(Duration::from_secs(16)));
        assert_eq!(wait(&mut held, 4_000, 4), None);
        assert_eq!(held.refuse(4).map(|_| ()), None);
        assert_eq!(wait(&mut held, 10_000, 5), None, "others may have given tokens back");
        assert!(held.is_idle(at(10_000)));
        held.prepare(at(20_000), &LEASE);
        held.settle(at(20_000), 5, refusal(1), &LEASE);
        assert_eq!(wait(&mut held, 20_999, 5), Some(Duration::from_millis(1)));
        assert_eq!(wait(&mut held, 21_000, 5), None);
    }

    #[test]
    fn nothing_is_known_after_the_clock_was_set_back() {
        let mut held = held(10);
        assert!(held.answer(at(5_000), 1, false).is_some());
        assert!(held.answer(at(4_000), 1, false).is_some(), "out of order");
        assert!(held.answer(at(3_900), 1, false).is_none());
        assert!(held.prepare(at(3_900), &LEASE).back.is_none());
    }

    #[test]
    fn a_late_answer_pays_only_for_the_requests_that_it_was_asked_for() {
        let mut held = AccountLease::default();
        held.prepare(at(0), &LEASE);
        // A request that comes while the call is under way advances the latest instant.
        assert!(held.answer(at(9_000), 1, false).is_none());
        held.settle(at(0), 1, answer(10, 500), &LEASE);
        assert!(held.pay(1).is_some());
        assert!(held.answer_now(1).is_none(), "8 s have passed since the question");

        let mut held = self::held(10);
        assert!(held.answer_now(1).is_some());
    }

    #[test]
    fn an_answer_from_before_the_clock_was_set_back_is_not_held() {
        for answer in [answer(10, 500), refusal(5)] {
            let mut held = AccountLease::default();
            held.prepare(at(100_000), &LEASE);
            assert!(held.answer(at(1_000), 1, false).is_none());
            held.settle(at(100_000), 1, answer, &LEASE);
            assert!(held.pay(1).or_else(|| held.refuse(1)).is_some());
            assert!(held.answer_now(1).is_none(), "its age is unknown");
            assert!(held.answer(at(1_001), 1, false).is_none());
            assert!(held.is_idle(at(1_001)));
        }
    }
}
