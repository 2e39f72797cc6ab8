//! The decision about one request.

use super::request_state::RequestState;
use super::shared::Shared;
use crate::error::Denial;

/// Decides about one request. The steps are in `flow.rs`, `capacity.rs`, `charging.rs` and `refusals.rs`.
pub(super) struct Deciding<'a> {
    pub(super) shared: &'a Shared,
    pub(super) state: &'a mut RequestState,
}

impl Deciding<'_> {
    /// Gives the request's permit back and reports the refusal. Called for every refusal.
    #[inline]
    pub(super) fn end_in_refusal(&mut self, denial: &Denial) {
        self.state.permit = None;
        if !self.shared.options.observers.is_empty() {
            self.report_refusal(denial);
        }
    }

    // Out of line, so that a gate without observers tests for them once.
    #[inline(never)]
    fn report_refusal(&mut self, denial: &Denial) {
        self.observe_decision();
        self.shared.observe(|observer| observer.refused(denial, self.state.record()));
    }
}
