//! A batch of tokens that the node can spend.

use std::time::Duration;

use tokio::time::Instant;

use super::rule::Lease;
use crate::answer::Answer;
use crate::question::{Marks, Unspent};
use tower_api_key::clock::Timestamp;
use tower_api_key::quota::{QuotaStatus, Verdict};

/// The nanoseconds by which a batch ends early, because a coarse clock lags by a tick of at most 10 ms.
const TICK: u64 = 10_000_000;

/// A batch also ends early by one part in 1,000 of its life, because clocks do not run alike. An adjustment
/// makes a clock slower by at most 1 in 2,000.
const DRIFT: u64 = 1_000;

/// Tokens that were charged in Redis.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) taken: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) size: u32,
    pub(super) unspent: u32,
    /// The verdict after the batch was charged.
    pub(super) verdict: Verdict,
    pub(super) marks: Marks,
    watch: Watch,
}

/// When a batch was used, by the clock of the timer that looks at it from time to time.
#[derive(Debug)]
struct Watch {
    /// The unspent tokens at the last look.
    seen: u32,
    used: Instant,
    patience: Duration,
    ends: Instant,
    /// When the windows are over, in which the tokens were charged. To give tokens back then changes nothing.
    over: Instant,
}

/// The instant, the wanted tokens and the returned tokens of the next question.
pub(super) struct BatchQuestion {
    pub(super) at: Timestamp,
    pub(super) want: u32,
    /// The batch is at most an `n`th part of what is left.
    pub(super) left: u32,
    pub(super) back: Option<Unspent>,
}

impl Batch {
    /// Creates a batch from the answer to a question that was asked at an instant. If the clock was set back
    /// since, the batch has ended already.
    pub(super) fn new(
        asked: Timestamp,
        answer: Answer,
        lease: &Lease,
        is_of_this_clock: bool,
    ) -> Self {
        let life = nanoseconds(answer.lasts.min(lease.longest));
        let life = life.saturating_sub(life / DRIFT).saturating_sub(TICK);
        let ends = asked.plus_nanoseconds(life);
        let now = Instant::now();
        let life = Duration::from_nanos(life);
        // The server answered before now, so this is never too early.
        let resets = answer.verdict.statuses().iter().map(QuotaStatus::reset_after);
        let over = now.checked_add(resets.fold(answer.lasts, Duration::max));
        let (seen, held_until) = (answer.taken, now + life);
        let over = over.unwrap_or(held_until);
        let watch = Watch { seen, used: now, patience: life, ends: held_until, over };
        Self {
            taken: asked,
            ends: if is_of_this_clock { ends } else { Timestamp::default() },
            size: answer.taken,
            unspent: answer.taken,
            verdict: answer.verdict,
            marks: answer.marks,
            watch,
        }
    }

    /// Sets how long the batch may be unused, and how long it may be held.
    pub(super) fn watch(&mut self, patience: Duration, life: Duration) {
        self.watch.patience = patience;
        self.watch.ends = self.watch.ends.min(self.watch.used + life);
    }

    /// Returns true if the batch was not used for long, or has been held for long enough.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.watch.seen != self.unspent {
            (self.watch.seen, self.watch.used) = (self.unspent, now);
        }
        now >= self.watch.ends || now >= self.watch.used + self.watch.patience
    }

    /// Returns true if nothing counts any more of what was charged.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.watch.over
    }

    /// Returns the verdict at an instant.
    pub(super) fn verdict(&self, at: Timestamp) -> Verdict {
        aged(&self.verdict, self.unspent, at.nanoseconds_since(self.taken))
    }
}

/// Returns a verdict after `age` nanoseconds, with the unspent tokens added to what remains.
pub(super) fn aged(kept: &Verdict, unspent: u32, age: u64) -> Verdict {
    let mut verdict = Verdict::passed();
    if let Some(taken_at) = kept.taken_at() {
        verdict.set_taken_at(taken_at);
    }
    for status in kept.statuses() {
        let remaining = status.remaining().saturating_add(unspent).min(status.limit());
        let reset = nanoseconds(status.reset_after()).saturating_sub(age);
        verdict.push(QuotaStatus::new(status.limit(), remaining, Duration::from_nanos(reset)));
    }
    let wait = wait_of(kept);
    if wait > 0 {
        verdict.refuse(Duration::from_nanos(wait.saturating_sub(age)));
    }
    verdict
}

/// Returns a duration in nanoseconds, at most `u64::MAX`.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the nanoseconds until a refused request could pass, 0 if it passed.
pub(super) fn wait_of(verdict: &Verdict) -> u64 {
    verdict.retry_after().map_or(0, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_due_when_it_is_unused_or_old_or_over() {
        let milliseconds = Duration::from_millis;
        // The time in which the batch counts, the patience, the longest life, whether it is used, and when it is due.
        for (lasts, patience, life, is_used, due) in [
            (60_000, 700, 5_000, false, 700),
            (60_000, 700, 5_000, true, 5_000),
            (60_000, 9_000, 5_000, false, 5_000),
            (2_000, 700, 5_000, true, 2_000),
        ] {
            let (lasts, marks) = (milliseconds(lasts), Marks::new());
            let verdict = Verdict::passed();
            let answer = Answer { verdict, taken: 100, lasts, marks, served_at: 0, is_late: false };
            let mut batch = Batch::new(Timestamp::default(), answer, &Lease::new(), true);
            batch.watch(milliseconds(patience), milliseconds(life));
            let begun = Instant::now();
            while !batch.is_due(Instant::now()) {
                batch.unspent -= u32::from(is_used);
                tokio::time::advance(milliseconds(100)).await;
            }
            assert_eq!(begun.elapsed(), milliseconds(due), "{lasts:?} {patience} {life} {is_used}");
        }
    }
}
