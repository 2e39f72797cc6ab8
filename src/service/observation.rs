//! What the gate keeps of a request for observers of requests.

use std::mem;
use std::time::Duration;

use http::Method;

use super::shared::Shared;
use crate::clock::{Timestamp, nanoseconds};
use crate::request::Client;

/// What the gate keeps of a request for observers of requests. It lies in the state of the request, because an allocation
/// would cost more than all else that it is for. So it is small: instants are readings of [`steady`], and 0 for none.
#[derive(Default)]
pub(super) struct Observation {
    pub(super) phase: ObservationPhase,
    pub(super) has_waited: bool,
    pub(super) client: Option<Client>,
    pub(super) method: &'static str,
    /// When the latency of the decision began.
    began: u64,
    /// Since when the request waits.
    waits_since: u64,
    /// When the gate decided, and how many nanoseconds the decision took.
    decided: (Timestamp, u64),
}

/// How far an observed request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ObservationPhase {
    /// No observer observes requests, or the end was reported.
    #[default]
    Unobserved,
    Undecided,
    Refused,
    Admitted,
}

impl Observation {
    /// Begins to observe a request.
    #[inline(never)]
    pub(super) fn begin(&mut self, shared: &Shared, method: &Method) {
        self.phase = ObservationPhase::Undecided;
        if shared.options.observers.observe_latencies() {
            self.began = steady(shared);
        }
        self.method = name(method);
    }

    /// Returns true if the request is observed, and its end was not reported.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.phase != ObservationPhase::Unobserved
    }

    /// Records that the gate has decided. A later decision of a handler changes nothing.
    #[inline(never)]
    pub(super) fn decide(&mut self, shared: &Shared, now: Timestamp, phase: ObservationPhase) {
        if self.phase == ObservationPhase::Undecided {
            (self.phase, self.decided) = (phase, self.until_now(shared, now));
        }
    }

    /// Returns the instant of the decision, and how long it took; the present instant if there is none. `now` is the last
    /// reading of the clock.
    pub(super) fn decided(&self, shared: &Shared, now: Timestamp) -> (Timestamp, Duration) {
        let (at, nanoseconds) = match self.phase {
            ObservationPhase::Undecided => self.until_now(shared, now),
            _ => self.decided,
        };
        (at, Duration::from_nanos(nanoseconds))
    }

    fn until_now(&self, shared: &Shared, now: Timestamp) -> (Timestamp, u64) {
        let now = if now == Timestamp::default() { shared.now() } else { now };
        let latency = if self.began == 0 { 0 } else { steady(shared).saturating_sub(self.began) };
        (now, latency)
    }

    /// Records that the request waits. Only the first call of a wait counts.
    pub(super) fn begin_wait(&mut self, shared: &Shared) {
        if self.waits_since == 0 {
            self.waits_since = steady(shared);
            self.has_waited = true;
            if self.began == 0 {
                self.began = self.waits_since;
            }
        }
    }

    /// Records that the wait has ended, and returns how long it was.
    pub(super) fn end_wait(&mut self, shared: &Shared) -> Option<Duration> {
        let since = mem::take(&mut self.waits_since);
        (since > 0).then(|| Duration::from_nanos(steady(shared).saturating_sub(since)))
    }
}

/// Reads the steady clock, in nanoseconds. Each reading is one too much, so that none is 0.
fn steady(shared: &Shared) -> u64 {
    nanoseconds(shared.options.clock.exact_steady()).saturating_add(1)
}

/// Returns the name of a method. OpenTelemetry writes `_OTHER` for those of no standard.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}
