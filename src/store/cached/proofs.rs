//! Proofs of life: up to which instant every change of the store is known.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::moment::Moment;
use crate::clock::Timestamp;
use crate::sync::{AtomicU64, Mutex, lock};

/// The most runs that are remembered after their end.
const RUNS: usize = 8;

/// The last proof. A run ends with a notice about everything: changes may have been lost, so a later proof
/// says nothing about records from before.
pub(super) struct Proofs {
    /// The last proof, of a clock each. A reader may see two proofs mixed. Each part is of a real proof, and
    /// the earlier part counts.
    wall: AtomicU64,
    steady: AtomicU64,
    rest: Mutex<Rest>,
}

#[derive(Default)]
struct Rest {
    /// The last proof of each source. Each source reports changes that the others do not, so the oldest
    /// proof counts.
    sources: Vec<Moment>,
    /// The runs that ended: the number of the notice, and the last proof before it.
    ended: VecDeque<(u64, Moment)>,
    /// Nothing is known about runs that ended before this notice.
    forgotten: u64,
}

impl Proofs {
    pub(super) fn new() -> Self {
        let Moment { wall, steady } = Moment::NEVER;
        let (wall, steady) = (AtomicU64::new(wall.unix_nanoseconds()), AtomicU64::new(steady));
        Self { wall, steady, rest: Mutex::default() }
    }

    /// Returns the last proof. Read it before the record that it is about: a notice that came before the
    /// proof is then seen, too.
    pub(super) fn last(&self) -> Moment {
        Moment {
            wall: Timestamp::from_unix_nanoseconds(self.wall.load(Ordering::Acquire)),
            steady: self.steady.load(Ordering::Acquire),
        }
    }

    /// Adds a source of changes, and returns its number. The proofs of others count again after its first.
    pub(super) fn add_source(&self) -> usize {
        let mut rest = lock(&self.rest);
        rest.sources.push(Moment::NEVER);
        self.publish(&rest);
        rest.sources.len() - 1
    }

    /// Records that a source has reported every change up to an instant.
    pub(super) fn record(&self, source: usize, at: Moment) {
        let mut rest = lock(&self.rest);
        if let Some(last) = rest.sources.get_mut(source) {
            *last = at;
        }
        self.publish(&rest);
    }

    /// Ends a run, with the number of a notice about everything.
    pub(super) fn end_run(&self, number: u64) {
        let mut rest = lock(&self.rest);
        let last = self.last();
        match rest.ended.back_mut() {
            // No proof since: records in between have no other.
            Some((latest, proof)) if *proof == last => *latest = number,
            _ => rest.ended.push_back((number, last)),
        }
        if rest.ended.len() > RUNS
            && let Some((number, _)) = rest.ended.pop_front()
        {
            rest.forgotten = number;
        }
    }

    /// Returns the last proof of the run in which a record was read, given the number of the latest notice
    /// before.
    pub(super) fn last_of_run(&self, after: u64) -> Moment {
        let rest = lock(&self.rest);
        if after < rest.forgotten {
            return Moment::NEVER;
        }
        let ended = rest.ended.iter().find(|(number, _)| after < *number);
        ended.map_or_else(|| self.last(), |(_, proof)| *proof)
    }

    fn publish(&self, rest: &Rest) {
        let is_proven = !rest.sources.contains(&Moment::NEVER);
        let oldest = rest.sources.iter().copied().reduce(Moment::earlier).filter(|_| is_proven);
        let Moment { wall, steady } = oldest.unwrap_or(Moment::NEVER);
        self.wall.store(wall.unix_nanoseconds(), Ordering::Release);
        self.steady.store(steady, Ordering::Release);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment { wall: Timestamp::from_unix_seconds(second), steady: second }
    }

    #[test]
    fn the_oldest_proof_of_all_sources_counts() {
        let proofs = Proofs::new();
        assert_eq!(proofs.last(), Moment::NEVER);
        let one = proofs.add_source();
        proofs.record(one, at(5));
        assert_eq!(proofs.last(), at(5));
        let two = proofs.add_source();
        assert_eq!(proofs.last(), Moment::NEVER, "nothing is known about the second");
        proofs.record(two, at(7));
        proofs.record(one, at(9));
        assert_eq!(proofs.last(), at(7));
    }

    #[test]
    fn a_proof_is_about_the_records_of_its_run_only() {
        let proofs = Proofs::new();
        let source = proofs.add_source();
        assert_eq!(proofs.last_of_run(0), Moment::NEVER);
        proofs.record(source, at(5));
        proofs.end_run(10);
        proofs.end_run(11);
        proofs.record(source, at(8));
        proofs.end_run(20);
        proofs.record(source, at(9));
        for (after, proof) in [(0, 5), (9, 5), (10, 5), (11, 8), (19, 8), (20, 9), (30, 9)] {
            assert_eq!(proofs.last_of_run(after), at(proof), "asked after notice {after}");
        }
        for number in 0..RUNS as u64 {
            proofs.record(source, at(30 + number));
            proofs.end_run(30 + number);
        }
        assert_eq!(proofs.last_of_run(0), Moment::NEVER, "forgotten");
        assert_eq!(proofs.last_of_run(19), Moment::NEVER, "forgotten");
        assert_eq!(proofs.last_of_run(20), at(30));
    }
}
