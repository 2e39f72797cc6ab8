//! The steps of a decision that ask for capacity. `take` and `taken` charge the quotas. On a route with a
//! concurrency limit `look_for_room`, `has_room`, `acquire` and `acquired` run first. `peek` and `peeked` run
//! before a refusal with limit headers.

use std::ops::ControlFlow;

use super::charging::{Ask, ChargeResult};
use super::deciding::Deciding;
use super::wait::{Next, Wait};
use crate::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use crate::error::{Denial, LimiterError};
use crate::limits::LimiterFallback;
use crate::quota::OnLimiterFailure;

impl Deciding<'_> {
    /// Charges the cost of the request.
    pub(super) fn take(&mut self) -> Next {
        match self.ask(Ask::cost(self.state)) {
            Ok(result) => self.taken(result),
            Err(charge) => ControlFlow::Continue(Wait::Cost { charge }),
        }
    }

    /// Ends the decision with the limiter's answer.
    pub(super) fn taken(&mut self, result: ChargeResult) -> Next {
        match self.note_cost(result) {
            Ok(()) => ControlFlow::Break(Ok(())),
            Err(denial) => self.refused(denial),
        }
    }

    /// Asks whether the quotas have room for a request that also needs a permit.
    pub(super) fn look_for_room(&mut self, rule: Concurrency) -> Next {
        match self.ask(Ask::room(self.state)) {
            Ok(result) => self.has_room(rule, result),
            Err(charge) => ControlFlow::Continue(Wait::Room { rule, charge }),
        }
    }

    /// Acquires a permit if the quotas have room.
    pub(super) fn has_room(&mut self, rule: Concurrency, result: ChargeResult) -> Next {
        match self.note_room(result) {
            Ok(()) => self.acquire(self.shared.concurrency(), rule),
            Err(denial) => self.refused(denial),
        }
    }

    /// Asks what is left of the quotas, for the limit headers of a refusal.
    pub(super) fn peek(&mut self, denial: Denial) -> Next {
        if !self.shared.renderer.speaks_of_limits() {
            return self.refused(denial);
        }
        match self.ask(Ask::peek(self.state)) {
            Ok(result) => self.peeked(denial, result),
            Err(charge) => ControlFlow::Continue(Wait::Peek { denial, charge }),
        }
    }

    /// Refuses the request, with what is left of the quotas.
    pub(super) fn peeked(&mut self, denial: Denial, result: ChargeResult) -> Next {
        self.note_peek(result);
        self.refused(denial)
    }

    /// Acquires a permit of the route, or waits for one.
    fn acquire(&mut self, concurrency: &dyn ConcurrencyLimiter, rule: Concurrency) -> Next {
        let Some(record) = self.state.record() else {
            return self.acquired(Ok(None));
        };
        let route = self.shared.policy.route_name(self.state.route);
        let account = record.account().id();
        match concurrency.acquire(Acquire { account, route, rule }).into_now() {
            Ok(result) => self.acquired(result),
            Err(permit) => ControlFlow::Continue(Wait::Permit { permit }),
        }
    }

    /// Charges the cost of a request that has its permit.
    pub(super) fn acquired(&mut self, result: Result<Option<Permit>, LimiterError>) -> Next {
        let shared = self.shared;
        match result {
            Ok(None) => return self.refused(Denial::ConcurrencyExceeded),
            Ok(permit) => self.state.permit = permit,
            Err(error) => {
                let report = |fallback| {
                    shared.observe(|observer| observer.concurrency_failed(&error, fallback));
                };
                let route = shared.policy.route(self.state.route);
                let rule = route.and_then(|route| route.concurrency);
                match (shared.options.on_concurrency_failure, rule) {
                    (Some(OnLimiterFailure::Allow), _) => report(LimiterFallback::Allowed),
                    (Some(OnLimiterFailure::Local(share)), Some(rule)) => {
                        report(LimiterFallback::Local);
                        // The limiter in memory always answers.
                        return self.acquire(&shared.counted.local_concurrency, rule.shared(share));
                    }
                    (None | Some(OnLimiterFailure::Deny | OnLimiterFailure::Local(_)), _) => {
                        report(LimiterFallback::Denied);
                        return self.refused(Denial::LimiterUnavailable);
                    }
                }
            }
        }
        // The request may have waited for its permit.
        self.state.now = shared.now();
        self.take()
    }
}
