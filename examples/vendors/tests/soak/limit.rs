//! Whether a limit explains what passed and what was refused.
//!
//! The driver does not know when exactly a request was counted, only that it was between sending it
//! and having its answer. So a limit was broken if what must have passed is too much whenever that
//! was; and a refusal was wrong if all that may have passed is too little.

use std::time::Duration;

use crate::journal::Event;

/// What the demo's clock may be late by, and what a machine under load adds.
const TOLERANCE: Duration = Duration::from_millis(50);
/// More than any request takes.
const LONGEST: Duration = Duration::from_secs(30);

/// What vendors.md says of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// So many in each window, which the first request opens.
    Window { most: usize, length: Duration },
    /// A leaky bucket of this size, which drains once in this time.
    Bucket { most: u32, length: Duration },
    /// One in flight; the others queue for so long.
    Place { queue: Duration },
}

impl Limit {
    /// Says how requests that passed, in the order of their ends, are too many, if they are.
    pub(crate) fn broken_by(self, passed: &[Event]) -> Option<String> {
        match self {
            Self::Window { most, length } => too_many_in_a_window(passed, most, length),
            Self::Bucket { most, length } => {
                let one = length.as_secs_f64() / f64::from(most);
                overdrawn(passed, length.as_secs_f64(), |_| one)
            }
            Self::Place { .. } => overdrawn(passed, 0.0, |event| event.runs.as_secs_f64()),
        }
    }

    /// Tells of each refused request, in the order in which they were sent, whether this limit may
    /// have refused it. The others are in the order of their latest instants.
    pub(crate) fn may_refuse(self, refused: &[Event], possible: &[Event]) -> Vec<bool> {
        let one_by_one = |may: &dyn Fn(&Event) -> bool| refused.iter().map(may).collect();
        match self {
            Self::Window { most, length } => one_by_one(&|event| {
                let since = event.sent.saturating_sub(length + TOLERANCE);
                let counted = ended_since(possible, since).iter();
                counted.filter(|other| other.sent <= event.ended).count() >= most
            }),
            Self::Bucket { most, length } => may_run_over(refused, possible, most, length),
            Self::Place { queue } => one_by_one(&|event| {
                let waited = event.sent + queue;
                let mut others = ended_since(possible, waited.saturating_sub(TOLERANCE)).iter();
                event.ended + TOLERANCE >= waited && others.any(|other| other.sent <= event.ended)
            }),
        }
    }
}

/// Tells of each refused request whether the bucket may have been full: had everything that may have
/// passed come as late as it can have.
fn may_run_over(refused: &[Event], possible: &[Event], most: u32, length: Duration) -> Vec<bool> {
    let full = length.as_secs_f64();
    let one = full / f64::from(most);
    let (mut level, mut at) = (0.0_f64, Duration::ZERO);
    let mut drain = |until: Duration, more: f64| {
        // Never more than the bucket holds, or guesses would add up.
        level = ((level - until.saturating_sub(at).as_secs_f64()).max(0.0) + more).min(full);
        at = until;
        level
    };
    let mut counted = 0;
    let mut may = Vec::new();
    for event in refused {
        while let Some(other) = possible.get(counted).filter(|other| other.latest() <= event.sent) {
            drain(other.latest(), one);
            counted += 1;
        }
        let later = possible[counted..].iter();
        let later = later.take_while(|other| other.latest() <= event.ended + LONGEST);
        let more: f64 = later.filter(|other| other.sent <= event.ended).map(|_| one).sum();
        may.push(drain(event.sent, 0.0) + more + TOLERANCE.as_secs_f64() > full - one);
    }
    may
}

fn ended_since(possible: &[Event], since: Duration) -> &[Event] {
    let from = possible.partition_point(|event| event.latest() < since);
    possible.get(from..).unwrap_or_default()
}

/// Looks for a span of time in which more seconds were spent than there were, and `spare`.
fn overdrawn(passed: &[Event], spare: f64, spent: impl Fn(&Event) -> f64) -> Option<String> {
    let (begins, allowed) =
        (passed.iter().map(|event| event.sent), spare + TOLERANCE.as_secs_f64());
    for begin in begins {
        let mut sum = 0.0;
        for event in ended_since(passed, begin).iter().filter(|event| event.sent >= begin) {
            sum += spent(event);
            if sum > allowed + event.ended.saturating_sub(begin).as_secs_f64() {
                return Some(format!("more passed than may, from {begin:?} to {:?}", event.ended));
            }
        }
    }
    None
}

/// Replays the windows: each begins with the first that passes after the one before it.
fn too_many_in_a_window(passed: &[Event], most: usize, length: Duration) -> Option<String> {
    // The window before ended between these two instants.
    let (mut earliest, mut latest) = (Duration::ZERO, Duration::ZERO);
    loop {
        let later: Vec<&Event> = passed.iter().filter(|event| event.ended >= earliest).collect();
        let opened = later.iter().map(|event| event.sent.max(earliest)).min()?;
        let sure = || later.iter().filter(|event| event.sent >= latest);
        let inside = sure().filter(|event| event.ended + TOLERANCE < opened + length).count();
        if inside > most {
            return Some(format!("{inside} passed in the window from {opened:?} on, not {most}"));
        }
        let surely_opened = sure().map(|event| event.ended).min()?;
        (earliest, latest) = (opened + length, surely_opened + length + TOLERANCE);
    }
}
