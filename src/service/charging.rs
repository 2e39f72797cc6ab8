//! Charging: what the gate asks of the limiter, and what it does when the limiter cannot answer.

use super::deciding::Deciding;
use super::options::Limits;
use super::request_state::{Decision, RequestState};
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::decision::Policy;
use crate::error::Denial;
use crate::limits::{Charge, ChargeMode, LimiterError, LimiterFallback, UnknownPlan};
use crate::quota::{AppliedQuotas, OnLimiterFailure, Quota, Verdict};
use crate::sync::Reply;

/// The limiter's answer.
pub(super) type ChargeResult = Result<Verdict, LimiterError>;

/// The limiter's answer, now or later.
pub(super) type ChargeReply = Reply<ChargeResult>;

/// A question to the limiter.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    cost: u32,
    mode: ChargeMode,
    now: Timestamp,
}

impl Ask {
    /// Charges the cost of the request. Charges nothing for a request of cost 0.
    pub(super) fn cost(state: &RequestState) -> Self {
        let mode = if state.cost == 0 { ChargeMode::Peek } else { ChargeMode::IfAllowed };
        Self { cost: state.cost, mode, now: state.now }
    }

    /// Asks whether the quotas have room for the cost, and charges nothing.
    pub(super) fn room(state: &RequestState) -> Self {
        Self { mode: ChargeMode::Peek, ..Self::cost(state) }
    }

    /// Asks what is left of the quotas, and charges nothing.
    pub(super) fn peek(state: &RequestState) -> Self {
        Self { cost: 0, ..Self::room(state) }
    }

    /// Charges a cost that was found after the request was served, even to quotas without room.
    pub(super) const fn afterwards(cost: u32, now: Timestamp) -> Self {
        Self { cost, mode: ChargeMode::Force, now }
    }

    /// Returns the instant of the question.
    pub(super) const fn now(self) -> Timestamp {
        self.now
    }

    /// Returns the charge that the question asks for; `None` without an account to count.
    pub(super) fn charge<'a>(
        self,
        policy: &'a Policy,
        state: &'a RequestState,
    ) -> Option<Charge<'a>> {
        let Self { cost, mode, now } = self;
        let (caller, quotas) = state.counted(policy)?;
        Some(Charge { caller, quotas, cost, mode, now })
    }
}

impl Deciding<'_> {
    /// Asks the limiter, if a quota has to be counted.
    pub(super) fn ask(&self, ask: Ask) -> Result<ChargeResult, ChargeReply> {
        let Some(charge) = ask.charge(&self.shared.policy, self.state) else {
            return Ok(Err(LimiterError::new("the request has no account or network to count")));
        };
        match &self.shared.options.limits {
            Limits::Off => Ok(Ok(Verdict::passed())),
            _ if self.state.plan.is_unknown() => Ok(Err(LimiterError::new(UnknownPlan))),
            _ if charge.quotas.is_empty() => Ok(Ok(Verdict::passed())),
            Limits::Unset if charge.quotas.all_in_shadow() => Ok(Ok(Verdict::passed())),
            Limits::Unset => Ok(Err(LimiterError::new(
                "no limiter is configured: call `limits` or `without_limits`",
            ))),
            Limits::Counted(limiter, _) => limiter.charge(charge).into_now(),
        }
    }

    /// Decides in place of a limiter that cannot answer.
    fn decide_instead(&self, ask: Ask) -> (LimiterFallback, Verdict) {
        let shared = self.shared;
        match (ask.charge(&self.shared.policy, self.state), &shared.options.limits) {
            (Some(charge), Limits::Counted(_, otherwise)) if !self.state.plan.is_unknown() => {
                shared.counted.fallback.charge(&charge, *otherwise)
            }
            // The quotas of the plan are unknown, so they cannot choose or be counted here. Those of the route can.
            (Some(charge), Limits::Counted(_, allow @ OnLimiterFailure::Allow)) => {
                let let_be = |quota: &Quota| quota.clone().with_failure_choice(*allow);
                let general: Vec<Quota> = charge.quotas.general.iter().map(let_be).collect();
                let quotas = AppliedQuotas { general: &general, route: charge.quotas.route };
                shared.counted.fallback.charge(&Charge { quotas, ..charge }, *allow)
            }
            _ => (LimiterFallback::Denied, Verdict::passed()),
        }
    }

    /// Records the answer to the charge, and reports refusals by quotas in shadow.
    pub(super) fn note_cost(&mut self, result: ChargeResult) -> Decision {
        let decision = match result {
            Ok(verdict) => self.note(verdict),
            Err(error) => self.fail(&error, Ask::cost(self.state)),
        };
        if !self.shared.options.observers.is_empty() {
            self.report_shadows();
        }
        decision
    }

    /// Records whether the quotas have room. Reports a failed limiter only if the request ends here: otherwise
    /// the charge that follows reports it.
    pub(super) fn note_room(&mut self, result: ChargeResult) -> Decision {
        let error = match result {
            Ok(verdict) => return self.note(verdict),
            Err(error) => error,
        };
        let (fallback, verdict) = self.decide_instead(Ask::room(self.state));
        if fallback == LimiterFallback::Denied || verdict.retry_after().is_some() {
            self.report_failure(&error, fallback);
        }
        self.note_fallback(fallback, verdict)
    }

    /// Records what is left of the quotas, for the headers of a refusal. If the limiter cannot answer, the
    /// refusal has no limit headers.
    pub(super) fn note_peek(&mut self, result: ChargeResult) {
        match result {
            Ok(verdict) => self.state.verdict = verdict,
            Err(error) => self.shared.observe(|observer| {
                observer.limiter_failed(&error, LimiterFallback::Immaterial);
            }),
        }
    }

    fn note(&mut self, verdict: Verdict) -> Decision {
        self.state.verdict = verdict;
        match self.state.verdict.retry_after() {
            Some(retry_after) => Err(Denial::RateLimited { retry_after }),
            None => Ok(()),
        }
    }

    /// Falls back as the quotas choose, and records the result.
    #[cold]
    fn fail(&mut self, error: &LimiterError, ask: Ask) -> Decision {
        let (fallback, verdict) = self.fall_back(error, ask);
        self.state.fallback = Some(fallback);
        self.note_fallback(fallback, verdict)
    }

    fn note_fallback(&mut self, fallback: LimiterFallback, verdict: Verdict) -> Decision {
        match fallback {
            LimiterFallback::Denied => Err(Denial::LimiterUnavailable),
            _ => self.note(verdict),
        }
    }

    /// Falls back, then counts and reports it.
    pub(super) fn fall_back(&self, error: &LimiterError, ask: Ask) -> (LimiterFallback, Verdict) {
        let (fallback, verdict) = self.decide_instead(ask);
        self.report_failure(error, fallback);
        (fallback, verdict)
    }

    /// Counts and reports the fallback for a limiter that failed.
    pub(super) fn report_failure(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.shared.counted.failures.count(fallback);
        self.shared.observe(|observer| observer.limiter_failed(error, fallback));
    }

    fn report_shadows(&self) {
        for index in self.state.verdict.shadow_refusals() {
            let Some((caller, quotas)) = self.state.counted(&self.shared.policy) else { return };
            let Some((quota, _)) = quotas.iter().nth(index) else { continue };
            self.shared.observe(|observer| match caller {
                Caller::Key(record) => observer.would_refuse(record, quota.name()),
                Caller::Network(network) => {
                    observer.would_refuse_anonymous(network, quota.name());
                }
            });
        }
    }
}
