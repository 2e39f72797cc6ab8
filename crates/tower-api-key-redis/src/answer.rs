//! The script's answer, and the verdict that it means.

use std::time::Duration;

use smallvec::SmallVec;

use super::counted::Counted;
use super::failure::Failure;
use super::numbers::AnswerReader;
use super::question::{Marks, Question, Terms};
use tower_api_key::clock::Timestamp;
use tower_api_key::limits::ChargeMode;
use tower_api_key::quota::arithmetic::{PARTS, interval, part_length};
use tower_api_key::quota::{Algorithm, Quota, QuotaStatus, Verdict};

/// The count of numbers before those of the quotas.
const HEAD: usize = 7;
/// The count of numbers for each quota.
const EACH: usize = 7;

/// The age that stands for no part of a sliding window.
const NO_PART: u64 = 15;

/// The answer to one question.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    /// The tokens taken.
    pub(super) taken: u32,
    /// The time for which a node may hold the taken tokens.
    pub(super) lasts: Duration,
    /// The marks to give the tokens back with.
    pub(super) marks: Marks,
    /// The instant by the server's clock, in microseconds.
    pub(super) served_at: u64,
    /// True if the question came after its deadline. The server took nothing.
    pub(super) is_late: bool,
}

/// The number of an answer to a question that came after its deadline.
const LATE: u64 = 2;

/// The state of one quota, in the numbers of its algorithm.
struct State {
    used: u64,
    /// Nanoseconds: for a fixed window, until it ends; for a bucket, until it is empty; for a sliding window,
    /// since its present part began.
    span: u64,
    /// Two ages of parts of a sliding window, as `16 * latest + leaving`: of the latest part that counts, and
    /// of the part that has to leave before the cost fits.
    parts: u64,
}

impl Answer {
    /// Reads an answer of the script to one of several questions.
    pub(super) fn read_packed(
        bytes: &[u8],
        counted: &Counted,
        question: &Question<'_>,
    ) -> Result<Self, Failure> {
        let numbers = unpack(AnswerReader(bytes)).ok_or(Failure::Nonsense)?;
        Self::read(&numbers, counted, question)
    }

    /// Reads an answer of the script.
    pub(super) fn read(
        numbers: &[i64],
        counted: &Counted,
        question: &Question<'_>,
    ) -> Result<Self, Failure> {
        let Question { cost, mode, terms, .. } = *question;
        let numbers: SmallVec<[u64; HEAD + 2 * EACH]> = numbers
            .iter()
            .map(|number| u64::try_from(*number).map_err(|_| Failure::Nonsense))
            .collect::<Result<_, _>>()?;
        let Some(([passes, ahead, ahead_rest, taken, lasts, at, at_rest], quotas)) =
            numbers.split_first_chunk::<HEAD>()
        else {
            return Err(Failure::Nonsense);
        };
        let ahead = nanoseconds(*ahead, *ahead_rest);
        let (states, rest) = quotas.as_chunks::<EACH>();
        if states.len() != counted.quotas().len() || !rest.is_empty() {
            return Err(Failure::Nonsense);
        }
        let mut verdict = Verdict::passed();
        verdict.set_taken_at(Timestamp::from_unix_nanoseconds(nanoseconds(*at, *at_rest)));
        // Of a counter that many networks share, the script tells no instant.
        if *at == 0 {
            verdict.set_counted_together();
        }
        let mut marks = Marks::new();
        for (quota, place) in counted.quotas().zip(counted.places()) {
            let Some([room, used, span, span_rest, parts, mark, mark_rest]) = states.get(place)
            else {
                return Err(Failure::Nonsense);
            };
            marks.push([*mark, *mark_rest]);
            let span = nanoseconds(*span, *span_rest);
            let state = State { used: *used, span, parts: *parts };
            let is_full = *room == 0 && mode != ChargeMode::Force;
            let reset = state.reset(quota).saturating_add(ahead);
            let remaining = state.remaining(quota, terms);
            let status = QuotaStatus::new(quota.limit(), remaining, Duration::from_nanos(reset));
            if quota.is_in_shadow() {
                verdict.push_in_shadow(status, is_full && *passes == 1);
                continue;
            }
            verdict.push(status);
            if is_full {
                let wait = state.wait(quota, cost, terms).max(1);
                verdict.refuse(Duration::from_nanos(wait.saturating_add(ahead)));
            }
        }
        let taken = u32::try_from(*taken).map_err(|_| Failure::Nonsense)?;
        let at = nanoseconds(*at, *at_rest);
        let (served_at, is_late) = (at.saturating_sub(ahead) / 1_000, *passes == LATE);
        Ok(Self { verdict, taken, lasts: Duration::from_micros(*lasts), marks, served_at, is_late })
    }
}

impl State {
    fn remaining(&self, quota: &Quota, terms: Terms) -> u32 {
        let left = match quota.algorithm() {
            Algorithm::LeakyBucket => terms.brim(quota).saturating_sub(self.span) / interval(quota),
            _ => u64::from(quota.limit()).saturating_sub(self.used),
        };
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// Returns the nanoseconds until all requests are back.
    fn reset(&self, quota: &Quota) -> u64 {
        match quota.algorithm() {
            Algorithm::SlidingWindow => match self.parts / 16 {
                NO_PART => 0,
                age => self.expiry(quota, age),
            },
            _ => self.span,
        }
    }

    /// Returns the nanoseconds that a cost without room has to wait.
    fn wait(&self, quota: &Quota, cost: u32, terms: Terms) -> u64 {
        match quota.algorithm() {
            Algorithm::LeakyBucket => {
                let added = interval(quota).saturating_mul(u64::from(cost));
                self.span.saturating_add(added).saturating_sub(terms.brim(quota))
            }
            Algorithm::SlidingWindow => match self.parts % 16 {
                NO_PART => quota.window_nanoseconds(),
                age => self.expiry(quota, age),
            },
            _ => self.span,
        }
    }

    fn expiry(&self, quota: &Quota, age: u64) -> u64 {
        let parts = (PARTS as u64).saturating_sub(age);
        parts.saturating_mul(part_length(quota)).saturating_sub(self.span)
    }
}

/// Reads an answer that the script packed: `<BdHI4ddH`, and `BI4dHBdH` for each quota.
fn unpack(mut answer: AnswerReader<'_>) -> Option<SmallVec<[i64; HEAD + 2 * EACH]>> {
    let a = &mut answer;
    let mut numbers = SmallVec::new();
    numbers.extend([a.byte()?, a.double()?, a.short()?, a.long()?, a.double()?, a.double()?]);
    numbers.push(a.short()?);
    while !a.is_over() {
        numbers.extend([a.byte()?, a.long()?, a.double()?, a.short()?, a.byte()?, a.double()?]);
        numbers.push(a.short()?);
    }
    Some(numbers)
}

const fn nanoseconds(microseconds: u64, rest: u64) -> u64 {
    microseconds.saturating_mul(1_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_api_key::key::{Account, KeyRecord};
    use tower_api_key::quota::AppliedQuotas;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn each_algorithms_numbers_give_what_is_left_and_the_waits() {
        let quota =
            |algorithm| Quota::new("q", 32, Duration::from_secs(32)).with_algorithm(algorithm);
        // With leases, a bucket keeps 2 of 32 free.
        let lease = Terms::Lease { demand: 1, want: 8, left: 8, shortest: 0 };
        let fixed = State { used: 20, span: 5 * SECOND + 7, parts: 0 };
        for algorithm in [Algorithm::FixedWindow, Algorithm::CalendarDay, Algorithm::CalendarMonth]
        {
            let quota = quota(algorithm);
            for terms in [Terms::Each, lease] {
                assert_eq!(fixed.remaining(&quota, terms), 12);
                assert_eq!(fixed.reset(&quota), 5 * SECOND + 7);
                assert_eq!(fixed.wait(&quota, 13, terms), 5 * SECOND + 7);
            }
        }
        let bucket = State { used: 1, span: 10 * SECOND + SECOND / 2, parts: 0 };
        let quota = quota(Algorithm::LeakyBucket);
        assert_eq!(bucket.reset(&quota), bucket.span);
        for (terms, remaining, wait) in [(Terms::Each, 21, SECOND / 2), (lease, 19, 5 * SECOND / 2)]
        {
            assert_eq!(bucket.remaining(&quota, terms), remaining);
            assert_eq!(bucket.wait(&quota, 22, terms), wait);
        }
    }

    #[test]
    fn a_sliding_window_is_read_from_the_ages_of_its_parts() {
        // Twelve parts of 5 s, and one that is half over.
        let quota =
            Quota::new("q", 10, Duration::from_secs(60)).with_algorithm(Algorithm::SlidingWindow);
        for (latest, leaves, reset, wait) in
            [(0, 12, 63, 3), (3, 7, 48, 28), (12, 0, 3, 63), (NO_PART, NO_PART, 0, 60)]
        {
            let parts = latest * 16 + leaves;
            let state = State { used: 4, span: 2 * SECOND, parts };
            assert_eq!(state.reset(&quota), reset * SECOND, "{latest}");
            assert_eq!(state.wait(&quota, 7, Terms::Each), wait * SECOND, "{leaves}");
            assert_eq!(state.remaining(&quota, Terms::Each), 6);
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_refused() {
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key_1", account).build().unwrap();
        let quotas = [Quota::new("minute", 5, Duration::from_secs(60))];
        let counted = Counted::new(&record, AppliedQuotas { general: &quotas, route: &[] });
        let (mode, terms) = (ChargeMode::IfAllowed, Terms::Each);
        let question =
            Question { cost: 1, mode, now: None, terms, back: None, until: None, refund: None };
        let read = |numbers: &[i64]| Answer::read(numbers, &counted, &question).map(|a| a.verdict);
        let fine = [1, 0, 0, 1, 0, 7, 9, 1, 2, 60_000_000, 0, 0, 0, 0];
        assert_eq!(read(&fine).unwrap().statuses()[0].remaining(), 3);
        let taken_at = Timestamp::from_unix_nanoseconds(7_009);
        assert_eq!(read(&fine).unwrap().taken_at(), Some(taken_at));
        for length in 0..fine.len() {
            assert!(read(&fine[..length]).is_err(), "{length}");
        }
        let mut negative = fine;
        negative[8] = -1;
        assert!(read(&negative).is_err());
    }

    #[test]
    fn a_packed_answer_is_read_as_one_of_numbers() {
        let record = crate::bare("key_1", "acme");
        let quotas = [Quota::new("minute", 5, Duration::from_secs(60))];
        let counted = Counted::new(&record, AppliedQuotas { general: &quotas, route: &[] });
        let (mode, terms) = (ChargeMode::IfAllowed, Terms::Each);
        let question =
            Question { cost: 1, mode, now: None, terms, back: None, until: None, refund: None };
        let packed = |at: f64| {
            let mut packed = vec![1];
            packed.extend(0_f64.to_le_bytes().into_iter().chain([0, 0]));
            packed.extend(1_u32.to_le_bytes().into_iter().chain(0_f64.to_le_bytes()));
            packed.extend(at.to_le_bytes().into_iter().chain([9, 0]));
            packed.extend([1].into_iter().chain(2_u32.to_le_bytes()));
            packed.extend(60e6_f64.to_le_bytes().into_iter().chain([0, 0, 0]));
            packed.extend(0_f64.to_le_bytes().into_iter().chain([0, 0]));
            packed
        };
        let read = |bytes: &[u8]| Answer::read_packed(bytes, &counted, &question);
        let verdict = read(&packed(7.0)).unwrap().verdict;
        assert_eq!(verdict.statuses()[0].remaining(), 3);
        assert_eq!(verdict.taken_at(), Some(Timestamp::from_unix_nanoseconds(7_009)));
        for length in 0..packed(7.0).len() {
            assert!(read(&packed(7.0)[..length]).is_err(), "{length}");
        }
        for number in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
            assert!(read(&packed(number)).is_err(), "{number}");
        }
    }
}
