//! A question, and its numbers for the script.

use smallvec::SmallVec;

use super::numbers::Numbers;
use tower_api_key::clock::Timestamp;
use tower_api_key::limits::ChargeMode;
use tower_api_key::quota::arithmetic::{capacity, interval, part_length};
use tower_api_key::quota::{Algorithm, Quota};

/// A question for the cost of a request.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) cost: u32,
    pub(super) mode: ChargeMode,
    /// The instant; `None` for the server's clock.
    pub(super) now: Option<Timestamp>,
    pub(super) terms: Terms,
    pub(super) back: Option<&'a Unspent>,
    /// The instant by the server's clock after which the question takes nothing, in microseconds. Nothing waits for
    /// its answer then. `None` for no such instant.
    pub(super) until: Option<u64>,
    /// Gives the cost back, and takes nothing.
    pub(super) refund: Option<Refunded>,
}

/// The charge whose cost is given back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refunded {
    pub(super) taken_at: Timestamp,
    /// The quotas from which the charge took nothing, as bits by their index.
    pub(super) untaken: u16,
}

/// Tokens that are given back.
#[derive(Debug)]
pub(super) struct Unspent {
    pub(super) tokens: u32,
    /// The mark of each quota for these tokens.
    pub(super) marks: Marks,
}

/// A pair of numbers for each quota.
pub(super) type Marks = SmallVec<[[u64; 2]; 2]>;

/// How many tokens are taken beyond the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// None.
    Each,
    /// Up to `demand` for waiting requests. Up to `want` for later requests, and at most one in `left` of what is
    /// left, if the node may hold them for at least `shortest` microseconds.
    Lease { demand: u32, want: u32, left: u32, shortest: u64 },
}

impl Terms {
    /// Takes the cost alone, under quotas of which other requests take leases.
    pub(super) const ALONE: Self = Self::Lease { demand: 0, want: 0, left: 1, shortest: 0 };
}

impl Question<'_> {
    /// Adds what to take, the cost and the instant.
    pub(super) fn write(&self, numbers: &mut Numbers) {
        numbers.byte(match self.mode {
            _ if self.refund.is_some() => 3,
            ChargeMode::Peek => 0,
            ChargeMode::IfAllowed => 1,
            ChargeMode::Force => 2,
        });
        numbers.long(self.cost);
        match self.now {
            Some(now) => numbers.pair(now.unix_nanoseconds()),
            None => numbers.no_instant(),
        }
    }

    /// Adds the numbers of a refund or of a lease.
    pub(super) fn write_purpose(&self, numbers: &mut Numbers) {
        if let Some(refund) = self.refund {
            numbers.pair(refund.taken_at.unix_nanoseconds());
        } else if let Terms::Lease { demand, want, left, shortest } = self.terms {
            numbers.long(demand.max(self.cost));
            numbers.long(want);
            numbers.long(left);
            numbers.double(shortest);
            numbers.long(self.back.map_or(0, |back| back.tokens));
            numbers.double(self.until.unwrap_or(0));
        }
    }

    /// Adds the numbers of the quota with an index.
    pub(super) fn write_quota(&self, numbers: &mut Numbers, quota: &Quota, index: usize) {
        let untaken = self.refund.is_some_and(|refund| refund.untaken >> index & 1 == 1);
        self.terms.write(quota, untaken, numbers);
        if let Some(back) = self.back {
            let [mark, rest] = back.marks.get(index).copied().unwrap_or_default();
            numbers.double(mark);
            numbers.short(u32::try_from(rest).unwrap_or_default());
        }
    }
}

impl Terms {
    /// Adds the numbers of a quota.
    fn write(self, quota: &Quota, untaken: bool, numbers: &mut Numbers) {
        numbers.long(quota.limit());
        numbers.byte(if untaken { 2 } else { quota.is_in_shadow().into() });
        match quota.algorithm() {
            Algorithm::FixedWindow => numbers.pair(quota.window_nanoseconds()),
            Algorithm::LeakyBucket => {
                let (capacity, brim) = (capacity(quota), self.brim(quota));
                numbers.pair(interval(quota));
                numbers.pair(capacity);
                numbers.pair(brim);
                // Tokens may be held for as long as the part that is kept free takes to drain.
                numbers.double(capacity.saturating_sub(brim) / 1_000);
            }
            Algorithm::SlidingWindow => numbers.double(part_length(quota)),
            Algorithm::CalendarDay | Algorithm::CalendarMonth => {}
        }
    }

    /// Returns the level up to which requests may fill a bucket, in nanoseconds.
    ///
    /// A token that was taken in advance drains while a node holds it, and would make room for another. So a
    /// sixteenth of the bucket is kept free, and still at most `2 × limit` requests pass in one window's
    /// length. It is in whole requests, so that `remaining` shows it.
    pub(super) fn brim(self, quota: &Quota) -> u64 {
        let kept = match self {
            Self::Each => 0,
            Self::Lease { .. } => quota.limit() / 16,
        };
        interval(quota).saturating_mul(u64::from(quota.limit() - kept))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_is_described_by_its_rate_and_by_what_is_kept_free() {
        let lease = Terms::Lease { demand: 1, want: 8, left: 8, shortest: 0 };
        // A request drains in 1 s and 7 ns. A sixteenth of 40 requests is 2.
        let window = Duration::from_nanos(40 * 1_000_000_007);
        let quota = Quota::new("q", 40, window).with_algorithm(Algorithm::LeakyBucket);
        for (terms, brim, kept) in
            [(Terms::Each, 40_000_000_280, 0), (lease, 38_000_000_266, 2_000_000)]
        {
            let mut numbers = Numbers::default();
            terms.write(&quota, false, &mut numbers);
            let mut expected = Numbers::default();
            expected.long(40);
            expected.byte(0);
            expected.pair(1_000_000_007);
            expected.pair(40_000_000_280);
            expected.pair(brim);
            expected.double(kept);
            assert_eq!(numbers.bytes(), expected.bytes(), "{terms:?}");
        }
    }
}
