//! What was asked of one account, and whether its limits can have allowed and refused just that.

use std::sync::Mutex;
use std::time::Duration;

use crate::limit::Limit;

/// How long a server may be at a request whose client is gone.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Refused,
    /// The client hung up; what became of it the server alone knows.
    Unknown,
}

/// One request, in time since the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) sent: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: Outcome,
    /// How long its handler runs, at least.
    pub(crate) runs: Duration,
}

impl Event {
    /// Returns the last instant at which it can have been counted, or have held a place.
    pub(crate) fn latest(&self) -> Duration {
        if self.outcome == Outcome::Unknown { self.ended + GRACE } else { self.ended }
    }
}

/// The requests of one account that its limits are about.
pub(crate) struct Journal {
    pub(crate) name: &'static str,
    limits: Vec<Limit>,
    events: Mutex<Vec<Event>>,
}

impl Journal {
    pub(crate) const fn new(name: &'static str, limits: Vec<Limit>) -> Self {
        Self { name, limits, events: Mutex::new(Vec::new()) }
    }

    pub(crate) fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.events.lock().unwrap().iter().filter(|event| event.outcome == outcome).count()
    }

    /// Lists what no limit of the account explains.
    pub(crate) fn faults(&self) -> Vec<String> {
        let events = self.events.lock().unwrap().clone();
        let chosen = |choose: fn(Outcome) -> bool, order: fn(&Event) -> Duration| {
            let mut chosen = events.clone();
            chosen.retain(|event| choose(event.outcome));
            chosen.sort_by_key(order);
            chosen
        };
        let passed = chosen(|outcome| outcome == Outcome::Passed, |event| event.ended);
        let refused = chosen(|outcome| outcome == Outcome::Refused, |event| event.sent);
        let possible = chosen(|outcome| outcome != Outcome::Refused, Event::latest);

        let broken = self.limits.iter().filter_map(|limit| limit.broken_by(&passed));
        let mut faults: Vec<String> = broken.collect();
        let reasons = self.limits.iter().map(|limit| limit.may_refuse(&refused, &possible));
        let reasons: Vec<Vec<bool>> = reasons.collect();
        for (place, event) in refused.iter().enumerate() {
            if !reasons.iter().any(|reasons| reasons[place]) {
                faults.push(format!("refused without a reason: {event:?}"));
            }
        }
        faults.iter().map(|fault| format!("{}: {fault}", self.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WINDOW: Limit = Limit::Window { most: 3, length: Duration::from_secs(60) };
    const BUCKET: Limit = Limit::Bucket { most: 3, length: Duration::from_secs(60) };
    const PLACE: Limit = Limit::Place { queue: SECOND };

    /// Finds the faults of requests: when they were sent, how long they took, what became of them.
    fn faults(limit: Limit, requests: &[(f64, f64, Outcome)]) -> usize {
        let journal = Journal::new("test", vec![limit]);
        for (sent, took, outcome) in requests {
            let [sent, took] = [sent, took].map(|seconds| Duration::from_secs_f64(*seconds));
            let outcome = *outcome;
            journal.note(Event { sent, ended: sent + took, outcome, runs: took });
        }
        journal.faults().len()
    }

    #[test]
    fn a_journal_finds_what_limits_do_not_explain() {
        use Outcome::{Passed, Refused, Unknown};
        let passed = |at| (at, 0.001, Passed);
        let refused = |at| (at, 0.001, Refused);
        for (what, limit, requests, expected) in [
            ("as many as may", WINDOW, &[passed(0.), passed(1.), passed(59.)][..], 0),
            ("one more", WINDOW, &[passed(0.), passed(1.), passed(2.), passed(59.)], 1),
            ("one in the next", WINDOW, &[passed(0.), passed(1.), passed(2.), passed(60.)], 0),
            (
                "too many in the next",
                WINDOW,
                &[passed(0.), passed(70.), passed(71.), passed(72.), passed(129.)],
                1,
            ),
            ("reached", WINDOW, &[passed(0.), passed(1.), passed(2.), refused(59.)], 0),
            ("not reached", WINDOW, &[passed(0.), passed(1.), refused(2.)], 1),
            ("forgotten", WINDOW, &[passed(0.), passed(1.), passed(2.), refused(63.)], 1),
            ("a full bucket", BUCKET, &[passed(0.), passed(1.), passed(2.), passed(20.1)], 0),
            ("too full", BUCKET, &[passed(0.), passed(1.), passed(2.), passed(18.)], 1),
            (
                "drained too fast",
                BUCKET,
                &[passed(0.), passed(1.), passed(2.), passed(20.1), passed(35.)],
                1,
            ),
            ("full", BUCKET, &[passed(0.), passed(1.), passed(2.), refused(19.)], 0),
            ("drained", BUCKET, &[passed(0.), passed(1.), passed(2.), refused(21.)], 1),
            (
                "guessed to be full",
                BUCKET,
                &[passed(0.), passed(1.), (2., 0.1, Unknown), refused(3.)],
                0,
            ),
            ("one by one", PLACE, &[(0., 1., Passed), (0.5, 0.5, Passed), (1., 1., Passed)], 1),
            ("in turn", PLACE, &[(0., 1., Passed), (1., 0.5, Passed), (1.5, 1., Passed)], 0),
            ("waited in vain", PLACE, &[(0., 3., Passed), (0.5, 1., Refused)], 0),
            ("did not wait", PLACE, &[(0., 3., Passed), (0.5, 0.5, Refused)], 1),
            ("nobody had it", PLACE, &[(0., 0.4, Passed), (0.5, 1., Refused)], 1),
            ("it was gone", PLACE, &[(0., 0.4, Unknown), (5.5, 1., Refused)], 1),
        ] {
            assert_eq!(faults(limit, requests), expected, "{what}");
        }
    }
}
