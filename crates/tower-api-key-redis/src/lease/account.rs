//! The tokens of one account that this node holds, as plain functions of answers and instants.

use tokio::time::Instant;

use super::batch::{Batch, BatchQuestion};
use super::demand::{Demand, Pace};
use super::refusals::Refusals;
use super::rule::Lease;
use crate::answer::Answer;
use crate::question::Unspent;
use tower_api_key::clock::Timestamp;
use tower_api_key::limits::MAX_DISORDER;
use tower_api_key::quota::Verdict;

/// The shortest time for which tokens are taken in advance, in microseconds.
pub(super) const SHORTEST: u64 = 15_000;

/// The tokens of an account, and its last refusal, under the same quotas.
#[derive(Debug)]
pub(super) struct AccountLease {
    latest: Timestamp,
    pace: Pace,
    demand: Demand,
    batch: Option<Batch>,
    refusals: Refusals,
}

impl AccountLease {
    pub(super) fn new(pace: Pace) -> Self {
        let (latest, demand) = (Timestamp::default(), Demand::default());
        Self { latest, pace, demand, batch: None, refusals: Refusals::default() }
    }

    /// Puts an instant in order with those before. If the clock was set back, the age of the batch and the
    /// refusal is unknown, so both are dropped.
    fn in_order(&mut self, now: Timestamp) -> Timestamp {
        if self.latest.since(now) > MAX_DISORDER {
            self.latest = now;
            self.batch = None;
            self.refusals.forget();
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
        self.refusals.verdict(at, cost)
    }

    /// Answers a request that came earlier, at the latest known instant.
    pub(super) fn answer_now(&mut self, cost: u32) -> Option<Verdict> {
        self.answer(self.latest, cost, false)
    }

    /// Prepares a question for more tokens, and gives the rest of the batch back. Wants nothing in advance while the
    /// server is in doubt.
    pub(super) fn prepare(
        &mut self,
        now: Timestamp,
        lease: &Lease,
        in_doubt: bool,
    ) -> BatchQuestion {
        let at = self.in_order(now);
        let back = self.end_batch(at);
        self.demand.age(at, &self.pace);
        let want = if in_doubt { 1 } else { self.demand.want(&self.pace, lease.most) };
        BatchQuestion { at, want, left: self.demand.left(&self.pace), back }
    }

    /// Ends the batch, and returns the unspent tokens. No request may spend them from here on.
    fn end_batch(&mut self, at: Timestamp) -> Option<Unspent> {
        let Batch { size, unspent, marks, .. } = self.batch.take()?;
        self.demand.add(size - unspent, at, &self.pace);
        (unspent > 0).then_some(Unspent { tokens: unspent, marks })
    }

    /// Ends a batch that is due, and returns the unspent tokens with the latest instant.
    pub(super) fn end_due(&mut self) -> Option<(Unspent, Timestamp)> {
        let unspent = self.end_batch(self.latest)?;
        self.demand.halve();
        Some((unspent, self.latest))
    }

    /// Returns true if a batch was not used for long, or is too old. Any batch is due if `all` is set.
    pub(super) fn is_due(&mut self, now: Instant, all: bool) -> bool {
        self.batch.as_mut().is_some_and(|batch| batch.is_due(now) || all)
    }

    /// Ends a batch whose windows are over. Its tokens are worth nothing any more, here and at the server.
    pub(super) fn let_go(&mut self, now: Instant) {
        if self.batch.as_ref().is_some_and(|batch| batch.is_over(now)) {
            self.end_batch(self.latest);
            self.demand.halve();
        }
    }

    /// Returns true if the node holds tokens, which may have to be given back.
    pub(super) fn has_unspent(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.unspent > 0)
    }

    /// Stores the answer to a question that was asked at an instant, for a cost. If the clock was set back
    /// since, the answer's age is unknown. It then counts only for the requests that it was asked for.
    pub(super) fn settle(&mut self, asked: Timestamp, cost: u32, answer: Answer, lease: &Lease) {
        let is_of_this_clock = asked <= self.latest;
        if answer.verdict.retry_after().is_some() {
            self.refusals.keep(asked, cost, answer, lease, is_of_this_clock);
            return;
        }
        self.refusals.end();
        let mut batch = Batch::new(asked, answer, lease, is_of_this_clock);
        batch.watch(self.demand.patience(&self.pace), self.pace.life());
        self.batch = Some(batch);
    }

    /// Pays for a waiting request from an answer that has just come.
    pub(super) fn pay(&mut self, cost: u32) -> Option<Verdict> {
        let batch = self.batch.as_mut()?;
        batch.unspent = batch.unspent.checked_sub(cost)?;
        Some(batch.verdict(batch.taken))
    }

    /// Refuses a waiting request if its cost is at least that of the refused one.
    pub(super) fn refuse(&self, cost: u32) -> Option<Verdict> {
        self.refusals.last(cost)
    }

    /// Returns true if the node holds no tokens and no refusal of the account. To drop it then loses only the
    /// size of the next batch.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let holds = |batch: &Batch| batch.unspent > 0 && now < batch.ends;
        !self.batch.as_ref().is_some_and(holds) && !self.refusals.counts(now)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::question::Marks;
    use tower_api_key::quota::{Quota, QuotaStatus};

    const LEASE: Lease = Lease::new();

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000).plus(Duration::from_millis(milliseconds))
    }

    fn answer(taken: u32, remaining: u32) -> Answer {
        let mut verdict = Verdict::passed();
        verdict.push(QuotaStatus::new(1_000, remaining, Duration::from_secs(60)));
        let lasts = Duration::from_secs(8);
        let marks = Marks::from_slice(&[[7, 0]]);
        Answer { verdict, taken, lasts, marks, served_at: 0, is_late: false }
    }

    fn refusal(seconds: u64) -> Answer {
        let mut answer = answer(0, 3);
        answer.verdict.refuse(Duration::from_secs(seconds));
        answer
    }

    fn remaining(verdict: Option<Verdict>) -> Option<u32> {
        verdict.filter(|it| it.retry_after().is_none()).map(|it| it.statuses()[0].remaining())
    }

    fn account() -> AccountLease {
        let minute = [Quota::new("minute", 1_000, Duration::from_secs(60))];
        AccountLease::new(Pace::new(minute.iter(), &LEASE))
    }

    /// Returns an account that has just got tokens.
    fn held(taken: u32) -> AccountLease {
        let mut held = account();
        held.prepare(at(0), &LEASE, false);
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
        let back = held.prepare(at(9_000), &LEASE, false).back.unwrap();
        assert_eq!((back.tokens, back.marks.as_slice()), (7, &[[7, 0]][..]));
        assert!(held.answer(at(9_000), 1, false).is_none() && held.pay(1).is_none());
        assert!(held.prepare(at(9_000), &LEASE, false).back.is_none());
    }

    #[test]
    fn a_busy_account_wants_more_and_a_quiet_one_less() {
        let mut held = account();
        let mut taken = 0;
        while taken < 400 {
            let want = held.prepare(at(taken), &LEASE, false).want;
            assert!(u64::from(want) <= taken / 4 + 1, "{want} after {taken}");
            held.settle(at(taken), 1, answer(want, 500), &LEASE);
            assert!(held.pay(want).is_some());
            taken += u64::from(want);
        }
        let want = held.prepare(at(400), &LEASE, false).want;
        assert!((90..=115).contains(&want), "{want}");
        assert_eq!(held.prepare(at(400), &LEASE, true).want, 1, "calls fail");
        let few = LEASE.at_most(NonZeroU32::MIN);
        assert_eq!(held.prepare(at(400), &few, false).want, 1);
        held.settle(at(400), 1, answer(want, 500), &LEASE);
        // A third of it is left after each 10 s.
        let later = held.prepare(at(20_400), &LEASE, false);
        assert!((12..=16).contains(&later.want), "{}", later.want);
        assert_eq!(later.back.unwrap().tokens, want);
        assert_eq!(held.prepare(at(60_400), &LEASE, false).want, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_is_due_ends_once_and_halves_the_demand() {
        let mut held = held(40);
        assert!(held.pay(30).is_some());
        assert!(!held.is_due(Instant::now(), false));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(held.is_due(Instant::now(), false) && held.end_due().unwrap().0.tokens == 10);
        assert!(!held.has_unspent() && !held.is_due(Instant::now(), true));
        assert!(held.answer(at(1), 1, false).is_none());
        assert_eq!(held.prepare(at(1), &LEASE, false).want, 4, "a quarter of 15");
        held.settle(at(1), 1, answer(9, 500), &LEASE);
        assert!(held.is_due(Instant::now(), true), "any");
    }

    #[test]
    fn an_account_without_tokens_is_idle() {
        let mut held = held(10);
        assert!(held.pay(9).is_some() && !held.is_idle(at(1)));
        assert!(held.pay(1).is_some());
        assert!(held.is_idle(at(1)));
    }

    #[test]
    fn nothing_is_known_after_the_clock_was_set_back() {
        let mut held = held(10);
        assert!(held.answer(at(5_000), 1, false).is_some());
        assert!(held.answer(at(4_000), 1, false).is_some(), "out of order");
        assert!(held.answer(at(3_900), 1, false).is_none());
        assert!(held.prepare(at(3_900), &LEASE, false).back.is_none());
    }

    #[test]
    fn a_late_answer_pays_only_for_the_requests_that_it_was_asked_for() {
        let mut held = account();
        held.prepare(at(0), &LEASE, false);
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
            let mut held = account();
            held.prepare(at(100_000), &LEASE, false);
            assert!(held.answer(at(1_000), 1, false).is_none());
            held.settle(at(100_000), 1, answer, &LEASE);
            assert!(held.pay(1).or_else(|| held.refuse(1)).is_some());
            assert!(held.answer_now(1).is_none(), "its age is unknown");
            assert!(held.answer(at(1_001), 1, false).is_none());
            assert!(held.is_idle(at(1_001)));
        }
    }
}
