//! The observers of a gate.

use std::sync::Arc;

use super::observer::Observer;

/// The observers of a gate, and those of them that observe requests, or also admissions.
#[derive(Default)]
pub(super) struct Observers {
    all: Vec<Arc<dyn Observer>>,
    of_requests: Vec<Arc<dyn Observer>>,
    of_admissions: Vec<Arc<dyn Observer>>,
    observe_latencies: bool,
}

impl Observers {
    /// Adds an observer, and asks it what it observes.
    pub(super) fn add(&mut self, observer: Arc<dyn Observer>) {
        if observer.observes_requests() {
            self.of_requests.push(Arc::clone(&observer));
            self.observe_latencies |= observer.observes_latencies();
            if observer.observes_admissions() {
                self.of_admissions.push(Arc::clone(&observer));
            }
        }
        self.all.push(observer);
    }

    /// Returns true if no observer is set.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns true if an observer observes requests.
    #[inline]
    pub(super) fn observe_requests(&self) -> bool {
        !self.of_requests.is_empty()
    }

    /// Returns true if an observer observes admissions.
    #[inline]
    pub(super) fn observe_admissions(&self) -> bool {
        !self.of_admissions.is_empty()
    }

    /// Returns true if an observer of requests needs the latency of each decision.
    #[inline]
    pub(super) const fn observe_latencies(&self) -> bool {
        self.observe_latencies
    }

    /// Calls each observer of admissions.
    pub(super) fn of_admission(&self, call: impl Fn(&dyn Observer)) {
        self.of_admissions.iter().for_each(|observer| call(&**observer));
    }

    /// Calls each observer, in the order in which they were added.
    #[inline]
    pub(super) fn each(&self, call: impl Fn(&dyn Observer)) {
        if !self.all.is_empty() {
            self.call_all(call);
        }
    }

    // Out of line: inlined into each refusal, it costs those of gates without an observer 10 instructions.
    #[inline(never)]
    fn call_all(&self, call: impl Fn(&dyn Observer)) {
        self.all.iter().for_each(|observer| call(&**observer));
    }

    /// Calls each observer of requests.
    pub(super) fn of_request(&self, call: impl Fn(&dyn Observer)) {
        self.of_requests.iter().for_each(|observer| call(&**observer));
    }
}
