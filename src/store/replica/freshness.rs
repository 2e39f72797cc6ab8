//! The last proof that the records are up to date, and how old it may be.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::sure_age::sure_age;
use super::settings::FollowSettings;
use crate::clock::{Clock, nanoseconds};
use crate::sync::AtomicU64;

/// Judges by a clock that no step of the wall clock moves, and that goes on while the process is stopped.
pub(super) struct Freshness {
    clock: Arc<dyn Clock>,
    /// The instant of the last proof in nanoseconds, plus one. Zero if there was none.
    proven: AtomicU64,
    longest: u64,
    /// Up to this age, a reading that may lag is enough.
    surely: u64,
}

/// A proof: the records hold every change that was made before this instant, in nanoseconds of the clock, plus one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Proof(u64);

impl Freshness {
    pub(super) fn new(settings: &FollowSettings) -> Self {
        let longest = nanoseconds(settings.longest());
        Self {
            clock: Arc::clone(&settings.clock),
            proven: AtomicU64::new(0),
            longest,
            surely: sure_age(longest, nanoseconds(settings.clock.lag())),
        }
    }

    /// Returns the proof that an answer of the store is, if it is asked now and its answer is no older than the
    /// question.
    pub(super) fn ask(&self) -> Proof {
        Proof(self.exactly())
    }

    /// Records the proof of the records that were published before. A later proof stays.
    pub(super) fn prove(&self, proof: Proof) {
        self.proven.fetch_max(proof.0, Ordering::AcqRel);
    }

    /// Replaces all records by others, which have another proof. While `exchange` runs, the earlier proof counts.
    pub(super) fn replace(&self, proof: Option<Proof>, exchange: impl FnOnce()) {
        let proof = proof.map_or(0, |proof| proof.0);
        self.proven.fetch_min(proof, Ordering::AcqRel);
        exchange();
        self.proven.store(proof, Ordering::Release);
    }

    /// Returns the last proof. Read the records after it, and call [`holds`](Self::holds) after both. The records are
    /// then at least as new as the proof, even if the process is stopped in between.
    pub(super) fn last(&self) -> Proof {
        Proof(self.proven.load(Ordering::Acquire))
    }

    /// Returns true if a proof is young enough now.
    pub(super) fn holds(&self, proof: Proof) -> bool {
        // The records may have been replaced since by others with an earlier proof.
        let proof = proof.min(self.last());
        if proof.0 == 0 {
            return false;
        }
        let now = nanoseconds(self.clock.steady()).saturating_add(1);
        let age = now.saturating_sub(proof.0);
        age < self.surely
            || (age < self.longest && self.exactly().saturating_sub(proof.0) < self.longest)
    }

    /// Returns the age of the last proof. `None` if there was none.
    pub(super) fn age(&self) -> Option<Duration> {
        let proof = self.last();
        (proof.0 > 0).then(|| Duration::from_nanos(self.exactly().saturating_sub(proof.0)))
    }

    fn exactly(&self) -> u64 {
        nanoseconds(self.clock.exact_steady()).saturating_add(1)
    }
}

impl Proof {
    /// Returns the proof of an answer that may be older than its question. `None` if the clock did not reach back that
    /// far.
    pub(super) fn behind(self, behind: Duration) -> Option<Self> {
        self.0.checked_sub(nanoseconds(behind)).filter(|instant| *instant > 0).map(Self)
    }
}

#[cfg(all(test, not(shuttle)))]
#[allow(clippy::unchecked_time_subtraction)]
mod tests {
    use super::super::settings::WhenStale;
    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::store::sure_age::LateClock;

    const SECOND: Duration = Duration::from_secs(1);
    const NANOSECOND: Duration = Duration::from_nanos(1);

    fn freshness(clock: impl Clock, when_stale: WhenStale) -> Freshness {
        Freshness::new(&FollowSettings {
            clock: Arc::new(clock),
            when_stale,
            ..FollowSettings::default()
        })
    }

    #[test]
    fn a_proof_ends_after_the_staleness_and_never_later() {
        for (when_stale, longest) in
            [(WhenStale::Refuse, 5 * SECOND), (WhenStale::ServeFor(3 * SECOND), 8 * SECOND)]
        {
            let clock = ManualClock::default();
            let freshness = freshness(clock.clone(), when_stale);
            assert!(!freshness.holds(freshness.last()) && freshness.age().is_none());
            freshness.prove(freshness.ask());
            clock.advance(longest - NANOSECOND);
            assert!(freshness.holds(freshness.last()));
            clock.advance(NANOSECOND);
            assert!(!freshness.holds(freshness.last()));
            assert_eq!(freshness.age(), Some(longest));
        }
    }

    #[test]
    fn late_ticks_make_no_proof_hold_longer() {
        let clock = LateClock::default();
        let freshness = freshness(clock.clone(), WhenStale::Refuse);
        clock.exact.advance(SECOND);
        freshness.prove(freshness.ask());
        assert!(freshness.holds(freshness.last()), "the ticks are behind the proof");
        clock.exact.advance(5 * SECOND - NANOSECOND);
        clock.coarse.advance(5 * SECOND + SECOND / 2);
        assert!(freshness.holds(freshness.last()));
        clock.exact.advance(NANOSECOND);
        assert!(!freshness.holds(freshness.last()), "the ticks say 4.5 s");
    }

    #[test]
    fn a_step_of_the_wall_clock_changes_nothing() {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
        let freshness = freshness(clock.clone(), WhenStale::Refuse);
        freshness.prove(freshness.ask());
        clock.advance(3 * SECOND);
        clock.set(Timestamp::from_unix_seconds(10));
        assert!(freshness.holds(freshness.last()));
        clock.advance(2 * SECOND);
        assert!(!freshness.holds(freshness.last()));
    }

    #[test]
    fn an_answer_that_is_behind_proves_less() {
        let clock = ManualClock::default();
        let freshness = freshness(clock.clone(), WhenStale::Refuse);
        clock.advance(2 * SECOND);
        assert_eq!(freshness.ask().behind(3 * SECOND), None, "the clock began 2 s ago");
        clock.advance(2 * SECOND);
        freshness.prove(freshness.ask().behind(3 * SECOND).unwrap());
        clock.advance(2 * SECOND - NANOSECOND);
        assert!(freshness.holds(freshness.last()));
        clock.advance(NANOSECOND);
        assert!(!freshness.holds(freshness.last()));
        let earlier = freshness.ask().behind(6 * SECOND - NANOSECOND).unwrap();
        freshness.prove(earlier);
        assert_eq!(freshness.age(), Some(5 * SECOND), "a later proof stays");
        freshness.replace(None, || {});
        assert_eq!(freshness.age(), None);
    }
}
