//! What the gate keeps of a request for observers of requests.

use std::time::Duration;

use http::Method;

use super::shared::Shared;
use crate::clock::Timestamp;
use crate::request::Client;

/// What the gate keeps of a request for observers of requests.
pub(super) struct Observation {
    began: Duration,
    pub(super) method: &'static str,
    pub(super) client: Client,
    /// When the gate decided, and how long the decision took.
    pub(super) decided: Option<(Timestamp, Duration)>,
    pub(super) admitted: bool,
    /// Since when the request waits.
    waits_since: Option<Duration>,
}

impl Observation {
    /// Begins to observe a request.
    pub(super) fn begin(shared: &Shared, method: &Method) -> Self {
        Self {
            began: shared.options.clock.exact_steady(),
            method: name(method),
            client: Client { address: None, https: false },
            decided: None,
            admitted: false,
            waits_since: None,
        }
    }

    /// Records that the gate has decided. A later decision of a handler changes nothing.
    pub(super) fn decide(&mut self, shared: &Shared, now: Timestamp) {
        if self.decided.is_none() {
            self.decided = Some(self.until_now(shared, now));
        }
    }

    /// Returns the present instant, and the time since the request came. `now` is the last reading of the clock.
    pub(super) fn until_now(&self, shared: &Shared, now: Timestamp) -> (Timestamp, Duration) {
        let now = if now == Timestamp::default() { shared.now() } else { now };
        (now, shared.options.clock.exact_steady().saturating_sub(self.began))
    }

    /// Records that the request waits.
    pub(super) fn begin_wait(&mut self, shared: &Shared) {
        self.waits_since.get_or_insert_with(|| shared.options.clock.exact_steady());
    }

    /// Records that the wait has ended, and returns how long it was.
    pub(super) fn end_wait(&mut self, shared: &Shared) -> Option<Duration> {
        let since = self.waits_since.take()?;
        Some(shared.options.clock.exact_steady().saturating_sub(since))
    }
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
