//! What this node holds of one account's tokens: plain functions of answers and instants.

use std::mem;

use super::answer::Answer;
use super::lease::Lease;
use super::question::{Marks, Unspent};
use std::time::Duration;
use tower_api_key::clock::Timestamp;

use tower_api_key::limits::MAX_DISORDER;
use tower_api_key::quota::{QuotaStatus, Verdict};

/// What a batch is spent earlier: a coarse clock lags by up to a tick, 10 ms at most.
const TICK: u64 = 10_000_000;

/// The part of its life that a batch ends earlier, for clocks that do not run alike: adjusting one
/// makes it slower by 1 in 2,000 at most.
const DRIFT: u64 = 1_000;

/// The shortest life for which tokens are taken in advance, in microseconds.
pub(super) const SHORTEST: u64 = 20_000;

/// Holds what was taken, and what was refused, under the same quotas.
#[derive(Debug, Default)]
pub(super) struct Holding {
    latest: Timestamp,
    /// The tokens that the next batch should have.
    want: u32,
    batch: Option<Batch>,
    refusal: Option<Refusal>,
}

/// How a question is asked.
pub(super) struct Departure {
    pub(super) at: Timestamp,
    pub(super) want: u32,
    pub(super) back: Option<Unspent>,
}

/// Tokens that were charged in Redis.
#[derive(Debug)]
struct Batch {
    taken: Timestamp,
    ends: Timestamp,
    size: u32,
    unspent: u32,
    /// How the quotas stood after the batch was charged.
    told: Verdict,
    marks: Marks,
}

#[derive(Debug)]
struct Refusal {
    told: Verdict,
    at: Timestamp,
    /// For so many nanoseconds.
    counts: u64,
    cost: u32,
}

impl Holding {
    /// Puts an instant in order with those before. Where the clock was set back nothing is known of how
    /// old anything is.
    fn in_order(&mut self, now: Timestamp) -> Timestamp {
        if self.latest.since(now) > MAX_DISORDER {
            self.latest = now;
            self.batch = None;
            self.refusal = None;
        }
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Answers a request, if it can be told without Redis. Takes its cost, unless it only looks.
    pub(super) fn answer(&mut self, now: Timestamp, cost: u32, looks: bool) -> Option<Verdict> {
        let at = self.in_order(now);
        if let Some(batch) = self.batch.as_mut().filter(|batch| at < batch.ends)
            && batch.unspent >= cost.max(1)
        {
            batch.unspent -= if looks { 0 } else { cost };
            return Some(batch.verdict(at));
        }
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.counts(at))?;
        let age = at.nanoseconds_since(refusal.at);
        (cost >= refusal.cost).then(|| aged(&refusal.told, 0, age))
    }

    /// Answers a request that came before, as of the latest instant that is known.
    pub(super) fn answer_now(&mut self, cost: u32) -> Option<Verdict> {
        self.answer(self.latest, cost, false)
    }

    /// Prepares to ask for more. A batch that was used up early wants to be twice as large, and one that
    /// was not spent in time as large as what was; what is left of it is given back.
    pub(super) fn depart(&mut self, now: Timestamp, lease: &Lease) -> Departure {
        let at = self.in_order(now);
        let mut back = None;
        if let Some(batch) = &mut self.batch {
            let life = batch.ends.nanoseconds_since(batch.taken);
            if batch.unspent > 0 && at >= batch.ends {
                self.want = batch.size - batch.unspent;
            } else if at < batch.taken.plus_nanoseconds(life / 2) && batch.size >= self.want {
                // A smaller one than was wanted tells nothing of how many could be spent.
                self.want = batch.size.saturating_mul(2);
            }
            // From here on nobody spends it.
            let tokens = mem::take(&mut batch.unspent);
            back = (tokens > 0).then(|| Unspent { tokens, marks: batch.marks.clone() });
        }
        self.want = self.want.clamp(1, lease.most);
        Departure { at, want: self.want, back }
    }

    /// Notes the answer to a question that was asked at an instant, for a cost. If the clock was set back
    /// since, nobody knows how old it is, so it is for those alone that it was asked for.
    pub(super) fn land(&mut self, asked: Timestamp, cost: u32, answer: Answer, lease: &Lease) {
        let is_of_this_clock = asked <= self.latest;
        if answer.verdict.retry_after().is_some() {
            // Other nodes may give tokens back, so it is not taken for true for ever.
            let longest = nanoseconds(lease.longest);
            let counts = wait_of(&answer.verdict).min(longest);
            let counts = if is_of_this_clock { counts } else { 0 };
            self.refusal = Some(Refusal { told: answer.verdict, at: asked, counts, cost });
            return;
        }
        self.refusal = None;
        let life = nanoseconds(answer.lasts.min(lease.longest));
        let life = life.saturating_sub(life / DRIFT).saturating_sub(TICK);
        let ends = asked.plus_nanoseconds(life);
        self.batch = Some(Batch {
            taken: asked,
            ends: if is_of_this_clock { ends } else { Timestamp::default() },
            size: answer.taken,
            unspent: answer.taken,
            told: answer.verdict,
            marks: answer.marks,
        });
    }

    /// Pays for a request that waited, when the answer has just come.
    pub(super) fn pay(&mut self, cost: u32) -> Option<Verdict> {
        let batch = self.batch.as_mut()?;
        batch.unspent = batch.unspent.checked_sub(cost)?;
        Some(batch.verdict(batch.taken))
    }

    /// Refuses a request that waited, if one was refused that cost no more.
    pub(super) fn refuse(&self, cost: u32) -> Option<Verdict> {
        let refusal = self.refusal.as_ref()?;
        (cost >= refusal.cost).then(|| refusal.told.clone())
    }

    /// Tells whether nothing is lost with it but how busy the account was.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let holds = |batch: &Batch| batch.unspent > 0 && now < batch.ends;
        !self.batch.as_ref().is_some_and(holds)
            && !self.refusal.as_ref().is_some_and(|refusal| refusal.counts(now))
    }
}

impl Batch {
    fn verdict(&self, at: Timestamp) -> Verdict {
        aged(&self.told, self.unspent, at.nanoseconds_since(self.taken))
    }
}

impl Refusal {
    fn counts(&self, at: Timestamp) -> bool {
        at.nanoseconds_since(self.at) < self.counts
    }
}

/// Says again, after a time, how quotas stood, with tokens that were taken and are not spent.
fn aged(told: &Verdict, unspent: u32, age: u64) -> Verdict {
    let mut verdict = Verdict::passed();
    for status in told.statuses() {
        let remaining = status.remaining().saturating_add(unspent).min(status.limit());
        let reset = nanoseconds(status.reset_after()).saturating_sub(age);
        verdict.push(QuotaStatus::new(status.limit(), remaining, Duration::from_nanos(reset)));
    }
    let wait = wait_of(told);
    if wait > 0 {
        verdict.refuse(Duration::from_nanos(wait.saturating_sub(age)));
    }
    verdict
}

/// Returns a duration in nanoseconds, at most `u64::MAX`.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the nanoseconds until a refused request could pass, 0 if it passed.
fn wait_of(verdict: &Verdict) -> u64 {
    verdict.retry_after().map_or(0, nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::num::NonZeroU32;

    use super::*;

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

    /// A holding that has just been given tokens.
    fn holding(taken: u32) -> Holding {
        let mut holding = Holding::default();
        holding.depart(at(0), &LEASE);
        holding.land(at(0), 1, answer(taken, 500), &LEASE);
        holding
    }

    #[test]
    fn tokens_are_spent_once_and_not_for_longer_than_they_last() {
        let mut holding = holding(10);
        assert_eq!(remaining(holding.pay(1)), Some(509));
        assert_eq!(remaining(holding.answer(at(100), 4, false)), Some(505));
        assert_eq!(remaining(holding.answer(at(100), 1, true)), Some(505), "a look takes nothing");
        assert!(holding.answer(at(100), 6, false).is_none(), "five are left");
        let verdict = holding.answer(at(7_900), 4, false).unwrap();
        assert_eq!(verdict.statuses()[0].reset_after(), Duration::from_millis(52_100));
        // A thousandth and a tick before 8 s.
        let ends = at(7_982);
        let just_before = Timestamp::from_unix_nanoseconds(ends.unix_nanoseconds() - 1);
        assert!(holding.answer(just_before, 0, true).is_some());
        assert!(holding.answer(ends, 1, false).is_none());
        assert!(holding.is_idle(ends) && !holding.is_idle(just_before));
    }

    #[test]
    fn what_is_given_back_is_not_spent_and_not_given_back_again() {
        let mut holding = holding(10);
        assert!(holding.pay(3).is_some());
        let back = holding.depart(at(9_000), &LEASE).back.unwrap();
        assert_eq!((back.tokens, back.marks.as_slice()), (7, &[[7, 0]][..]));
        assert!(holding.answer(at(9_000), 1, false).is_none() && holding.pay(1).is_none());
        assert!(holding.depart(at(9_000), &LEASE).back.is_none());
    }

    #[test]
    fn a_busy_account_wants_more_and_a_quiet_one_less() {
        let mut holding = Holding::default();
        for (now, expected) in [(0, 1), (10, 2), (20, 4), (30, 8)] {
            let want = holding.depart(at(now), &LEASE).want;
            assert_eq!(want, expected, "{now}");
            holding.land(at(now), 1, answer(want, 500), &LEASE);
            assert!(holding.pay(want).is_some());
        }
        // Used up, but late.
        assert_eq!(holding.depart(at(4_100), &LEASE).want, 8);
        holding.land(at(4_100), 1, answer(8, 500), &LEASE);
        assert!(holding.pay(3).is_some());
        assert_eq!(holding.depart(at(20_000), &LEASE).want, 3, "three were spent");
        // Fewer than were wanted say nothing of how many could be spent.
        holding.land(at(20_000), 1, answer(2, 5), &LEASE);
        assert!(holding.pay(2).is_some());
        assert_eq!(holding.depart(at(20_001), &LEASE).want, 3);
        let few = LEASE.at_most(NonZeroU32::MIN);
        assert_eq!(holding.depart(at(20_001), &few).want, 1);
    }

    #[test]
    fn how_much_is_wanted_turns_on_half_the_life_of_a_batch_and_on_its_end() {
        // Ten were taken, for 7.982 s, when one was wanted.
        for (spent, now, expected) in [
            (10, 3_990, 20),
            (10, 3_991, 1),
            (10, 7_982, 1),
            (3, 3_990, 20), // more than the seven that are left was asked for
            (3, 7_981, 1),
            (3, 7_982, 3),
        ] {
            let mut holding = holding(10);
            assert!(holding.pay(spent).is_some());
            assert_eq!(holding.depart(at(now), &LEASE).want, expected, "{spent} by {now} ms");
        }
    }

    #[test]
    fn what_is_spent_is_idle() {
        let mut holding = holding(10);
        assert!(holding.pay(9).is_some());
        assert!(!holding.is_idle(at(1)));
        assert!(holding.pay(1).is_some());
        assert!(holding.is_idle(at(1)));
    }

    #[test]
    fn a_refusal_counts_for_its_time_and_for_no_smaller_cost() {
        let mut holding = holding(1);
        assert!(holding.pay(1).is_some());
        holding.land(at(0), 5, refusal(20), &LEASE);
        let wait = |holding: &mut Holding, now, cost| {
            holding.answer(at(now), cost, false).and_then(|verdict| verdict.retry_after())
        };
        assert_eq!(wait(&mut holding, 4_000, 5), Some(Duration::from_secs(16)));
        assert_eq!(wait(&mut holding, 4_000, 4), None);
        assert_eq!(holding.refuse(4).map(|_| ()), None);
        assert_eq!(wait(&mut holding, 10_000, 5), None, "others may have given tokens back");
        assert!(holding.is_idle(at(10_000)));
        holding.depart(at(20_000), &LEASE);
        holding.land(at(20_000), 5, refusal(1), &LEASE);
        assert_eq!(wait(&mut holding, 20_999, 5), Some(Duration::from_millis(1)));
        assert_eq!(wait(&mut holding, 21_000, 5), None);
    }

    #[test]
    fn nothing_is_known_after_the_clock_was_set_back() {
        let mut holding = holding(10);
        assert!(holding.answer(at(5_000), 1, false).is_some());
        assert!(holding.answer(at(4_000), 1, false).is_some(), "out of order");
        assert!(holding.answer(at(3_900), 1, false).is_none());
        assert!(holding.depart(at(3_900), &LEASE).back.is_none());
    }

    #[test]
    fn an_answer_that_comes_late_pays_those_alone_that_it_was_asked_for() {
        let mut holding = Holding::default();
        holding.depart(at(0), &LEASE);
        // Whoever comes while the call is under way moves the time on.
        assert!(holding.answer(at(9_000), 1, false).is_none());
        holding.land(at(0), 1, answer(10, 500), &LEASE);
        assert!(holding.pay(1).is_some());
        assert!(holding.answer_now(1).is_none(), "8 s are over since it was asked for");

        let mut holding = self::holding(10);
        assert!(holding.answer_now(1).is_some());
    }

    #[test]
    fn an_answer_to_what_was_asked_before_the_clock_was_set_back_is_not_held() {
        for answer in [answer(10, 500), refusal(5)] {
            let mut holding = Holding::default();
            holding.depart(at(100_000), &LEASE);
            assert!(holding.answer(at(1_000), 1, false).is_none());
            holding.land(at(100_000), 1, answer, &LEASE);
            assert!(holding.pay(1).or_else(|| holding.refuse(1)).is_some());
            assert!(holding.answer_now(1).is_none(), "how old it is nobody knows");
            assert!(holding.answer(at(1_001), 1, false).is_none());
            assert!(holding.is_idle(at(1_001)));
        }
    }
}
