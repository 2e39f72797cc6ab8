//! Interleaved timing: every round runs every case once, in another order each time.
//!
//! A shared machine changes its speed every few seconds, so times of two runs say nothing of each
//! other; the ratio of two cases in one round does. What is reported is the median over the rounds.
//!
//! Each time, a case begins at another depth of the stack. The stack begins at another place in each process, and what lies
//! badly on it is slow for as long as the process lives: a digest of a key then takes 1.8 times as long.

use std::hint::black_box;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// Operations of a round where the cache is what counts: enough of them that a case works in a cache
/// of its own, and not in what the others have left of it.
pub(crate) const COLD_OPERATIONS: usize = 65_536;
pub(crate) const COLD_ROUNDS: usize = 24;
/// Depths of the stack. All of them together are as far apart as a page is long.
const DEPTHS: usize = 32;

/// One thing to measure: runs so many operations and returns the time that they took.
pub(crate) struct Case<'a> {
    pub(crate) name: String,
    run: Box<dyn FnMut(usize) -> Duration + 'a>,
}

/// What one case took, in nanoseconds an operation, round by round.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    rounds: Vec<f64>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut(usize) -> Duration + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

impl Series {
    /// Returns the median time of an operation, in nanoseconds.
    pub(crate) fn nanoseconds(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// Returns how many times as long as another case this one took, as the median of the rounds.
    pub(crate) fn times(&self, other: &Self) -> f64 {
        self.by_round(other, |ours, theirs| ours / theirs)
    }

    /// Returns the nanoseconds that this case took longer than another, as the median of the rounds.
    pub(crate) fn more_than(&self, other: &Self) -> f64 {
        self.by_round(other, |ours, theirs| ours - theirs)
    }

    /// Returns the part of another case's time by which this case took longer, as the median of the rounds.
    pub(crate) fn share_beyond(&self, other: &Self) -> f64 {
        self.by_round(other, |ours, theirs| (ours - theirs) / theirs)
    }

    /// Returns the shortest time of an operation over all rounds, in nanoseconds. Of a few instructions in a loop it says
    /// more than the median: nothing makes them faster than they are.
    pub(crate) fn best(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn by_round(&self, other: &Self, compare: impl Fn(f64, f64) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(ours, theirs)| compare(*ours, *theirs)).collect())
    }
}

/// Runs all cases `rounds` times, `operations` each time, after one round that does not count.
pub(crate) fn interleave(cases: Vec<Case<'_>>, rounds: usize, operations: usize) -> Vec<Series> {
    let mut random = SmallRng::seed_from_u64(random_seed());
    let mut cases: Vec<_> = cases
        .into_iter()
        .map(|case| (Series { name: case.name.clone(), rounds: Vec::with_capacity(rounds) }, case))
        .collect();
    let mut order: Vec<usize> = (0..cases.len()).collect();
    for round in 0..=rounds {
        order.shuffle(&mut random);
        for index in &order {
            let Some((series, case)) = cases.get_mut(*index) else { continue };
            let took = at_depth(random.random_range(0..DEPTHS), &mut || (case.run)(operations));
            if round > 0 {
                #[allow(clippy::cast_precision_loss)] // Far below 2^52.
                series.rounds.push(took.as_nanos() as f64 / operations as f64);
            }
        }
    }
    cases.into_iter().map(|(series, _)| series).collect()
}

/// Calls a function after so many others on the stack.
#[inline(never)]
fn at_depth(depth: usize, work: &mut dyn FnMut() -> Duration) -> Duration {
    // With what a call saves, an odd number of the 16 bytes to which the stack is aligned.
    let room = black_box([0_u8; 80]);
    let took = if depth == 0 { work() } else { at_depth(depth - 1, work) };
    black_box(room);
    took
}

fn random_seed() -> u64 {
    rand::rng().random()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
