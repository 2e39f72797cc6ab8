//! What this node holds of one account's tokens: plain functions of answers and instants.

use std::mem;
use std::time::Duration;

use super::super::standing::{Standing, Verdict};
use super::answer::Answer;
use super::lease::Lease;
use super::question::{Marks, Unspent};
use crate::clock::{Timestamp, nanoseconds};

/// How much earlier than the latest instant another may be before the clock counts as set back.
const MAX_DISORDER: Duration = Duration::from_secs(1);

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

    /// Notes the answer to a question that was asked at an instant, for a cost.
    pub(super) fn land(&mut self, asked: Timestamp, cost: u32, answer: Answer, lease: &Lease) {
        if answer.verdict.retry_after().is_some() {
            self.refusal = Some(Refusal { told: answer.verdict, at: asked, cost });
            return;
        }
        self.refusal = None;
        let life = nanoseconds(answer.lasts.min(lease.longest));
        let life = life.saturating_sub(life / DRIFT).saturating_sub(TICK);
        self.batch = Some(Batch {
            taken: asked,
            ends: asked.plus_nanoseconds(life),
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

    /// Takes back what was paid for a request whose client has gone.
    pub(super) fn take_back(&mut self, cost: u32) {
        if let Some(batch) = &mut self.batch {
            batch.unspent = batch.unspent.saturating_add(cost);
        }
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
        at.nanoseconds_since(self.at) < self.told.nanoseconds_to_wait()
    }
}

/// Says again, after a time, how quotas stood, with tokens that were taken and are not spent.
fn aged(told: &Verdict, unspent: u32, age: u64) -> Verdict {
    let mut verdict = Verdict::passed();
    for standing in told.standings() {
        let remaining = standing.remaining().saturating_add(unspent).min(standing.limit());
        let reset = nanoseconds(standing.reset_after()).saturating_sub(age);
        verdict.push(Standing::in_nanoseconds(standing.limit(), remaining, reset));
    }
    let wait = told.nanoseconds_to_wait();
    if wait > 0 {
        verdict.refuse_for(wait.saturating_sub(age));
    }
    verdict
}
