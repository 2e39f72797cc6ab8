//! Leaves a server out that does not answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::settings::HealthSettings;

/// What the latest requests say of a server.
pub(super) struct Health {
    max_failures: u32,
    retry_after: Duration,
    record: Mutex<HealthRecord>,
}

#[derive(Default)]
struct HealthRecord {
    /// Failures in a row.
    failures: u32,
    /// Until when the server is left out.
    out_until: Option<Instant>,
}

/// Whether a server gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Availability {
    /// The server was out, and this request tries it again.
    Trial,
    /// The server answers.
    Up,
    /// The server is left out, unless no other one is left.
    Out,
}

impl Health {
    pub(super) fn new(settings: &HealthSettings) -> Self {
        Self {
            max_failures: settings.max_failures.get(),
            retry_after: settings.retry_after.get(),
            record: Mutex::default(),
        }
    }

    /// Returns whether a request may go to this server. Returns [`Availability::Trial`] for one request in each
    /// period, so that a server that is still down delays no other request.
    pub(super) fn availability(&self, now: Instant, may_try: bool) -> Availability {
        let mut record = self.record();
        match record.out_until {
            None => Availability::Up,
            Some(until) if until <= now && may_try => {
                record.out_until = Some(now + self.retry_after);
                Availability::Trial
            }
            Some(_) => Availability::Out,
        }
    }

    /// Records an answer. Returns true if the server had been left out.
    pub(super) fn succeeded(&self) -> bool {
        let mut record = self.record();
        let was_out = record.out_until.is_some();
        *record = HealthRecord::default();
        was_out
    }

    /// Records that the server could not be reached, or did not answer. Returns true if the server is left out
    /// from now on.
    pub(super) fn failed(&self, now: Instant) -> bool {
        let mut record = self.record();
        record.failures = record.failures.saturating_add(1);
        if record.failures < self.max_failures {
            return false;
        }
        let was_up = record.out_until.is_none();
        record.out_until = Some(now + self.retry_after);
        was_up
    }

    fn record(&self) -> MutexGuard<'_, HealthRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::settings::Period;

    #[test]
    fn a_server_is_left_out_and_tried_again() {
        let settings = HealthSettings {
            max_failures: NonZeroU32::MIN.saturating_add(1),
            retry_after: Period::from_secs(10),
        };
        let health = Health::new(&settings);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let now = |seconds| health.availability(at(seconds), true);
        assert!(!health.failed(at(0)));
        assert!(!health.succeeded(), "a success begins the count anew");
        assert!(!health.failed(at(0)));
        assert_eq!(now(0), Availability::Up);
        assert!(health.failed(at(1)));
        assert_eq!(now(10), Availability::Out);
        assert_eq!(health.availability(at(11), false), Availability::Out);
        assert_eq!(now(11), Availability::Trial, "one request tries");
        assert_eq!(now(12), Availability::Out, "all others wait for it");
        assert!(!health.failed(at(12)), "it is out already");
        assert_eq!(now(22), Availability::Trial);
        assert!(health.succeeded());
        assert_eq!(now(22), Availability::Up);
    }
}
