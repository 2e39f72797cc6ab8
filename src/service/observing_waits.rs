//! Observing waits: how long requests wait for the store, the limiter and permits.

use super::deciding::Deciding;
use super::shared::Shared;
use super::wait::Arrival;
use crate::decision::{ObservedWait, WaitOutcome, WaitTarget};

impl Deciding<'_> {
    /// Records that an observed request waits. Only the first call of a wait counts.
    #[inline]
    pub(super) fn observe_wait(&mut self) {
        if self.state.observation.is_on() {
            self.state.observation.begin_wait(self.shared);
        }
    }

    /// Calls the observers of requests for a wait that has ended.
    #[inline]
    pub(super) fn observe_waited(&mut self, target: WaitTarget, outcome: WaitOutcome) {
        if self.state.observation.is_on()
            && let Some(time) = self.state.observation.end_wait(self.shared)
        {
            let Shared { policy, counter, name: vendor, .. } = self.shared;
            let wait = ObservedWait { policy, counter, vendor, target, outcome, time };
            self.shared.options.observers.of_request(|observer| observer.waited(&wait));
        }
    }
}

impl Arrival {
    /// Returns what was waited for, and how the wait ended.
    pub(super) const fn observed(&self) -> (WaitTarget, WaitOutcome) {
        match self {
            Self::Found { answer, .. } | Self::FoundByOther { answer, .. } => {
                (WaitTarget::Store, WaitOutcome::of(answer))
            }
            Self::Permit(Ok(None)) => (WaitTarget::Permit, WaitOutcome::Refused),
            Self::Permit(answer) => (WaitTarget::Permit, WaitOutcome::of(answer)),
            Self::Reserved { answer, .. }
            | Self::Failure { answer, .. }
            | Self::Peek { answer, .. }
            | Self::Room { answer, .. }
            | Self::Cost(answer) => (WaitTarget::Limiter, WaitOutcome::of(answer)),
        }
    }
}
