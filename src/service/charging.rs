//! What is asked of the limiter for a request, and what is done when it cannot answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::flow::Decision;
use super::layer::{Limits, Shared};
use super::passage::Passage;
use super::wait::{Answer, Charged, Settling};
use crate::clock::Timestamp;
use crate::decision::ExtraCost;
use crate::error::Denial;
use crate::limits::{Charge, LimiterError, LimiterFallback, Taking, UnknownPlan};
use crate::quota::Quota;
use crate::quota::{Applicable, OnLimiterFailure, Verdict};

/// What is asked of the limiter.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    cost: u32,
    taking: Taking,
    now: Timestamp,
}

impl Ask {
    /// For what the request costs; a request that costs nothing only looks.
    pub(super) fn cost(passage: &Passage) -> Self {
        let taking = if passage.cost == 0 { Taking::Nothing } else { Taking::IfRoom };
        Self { cost: passage.cost, taking, now: passage.now }
    }

    /// Whether there is room for that.
    pub(super) fn room(passage: &Passage) -> Self {
        Self { taking: Taking::Nothing, ..Self::cost(passage) }
    }

    /// How the account stands.
    pub(super) fn standing(passage: &Passage) -> Self {
        Self { cost: 0, ..Self::room(passage) }
    }

    /// Asks the limiter, unless there is nothing to count.
    pub(super) fn send(self, shared: &Shared, passage: &Passage) -> Result<Answer, Charged> {
        let Some(charge) = self.charge(shared, passage) else {
            return Ok(Err(LimiterError::new("nobody is there to be counted")));
        };
        match &shared.limits {
            Limits::Off => Ok(Ok(Verdict::passed())),
            _ if passage.plan.is_unknown() => Ok(Err(LimiterError::new(UnknownPlan))),
            _ if charge.quotas.is_empty() => Ok(Ok(Verdict::passed())),
            Limits::Unset if charge.quotas.all_in_shadow() => Ok(Ok(Verdict::passed())),
            Limits::Unset => Ok(Err(LimiterError::new("no limiter is configured"))),
            Limits::Counted(limiter, _) => limiter.charge(charge).into_now(),
        }
    }

    /// Decides in place of a limiter that cannot answer.
    fn fall_back(self, shared: &Shared, passage: &Passage) -> (LimiterFallback, Verdict) {
        match (self.charge(shared, passage), &shared.limits) {
            (Some(charge), Limits::Counted(_, otherwise)) if !passage.plan.is_unknown() => {
                shared.fallback.charge(&charge, *otherwise)
            }
            // Which quotas the plan has nobody knows, so none of them can choose, or be counted here; those
            // of the route can.
            (Some(charge), Limits::Counted(_, allow @ OnLimiterFailure::Allow)) => {
                let let_be = |quota: &Quota| quota.clone().on_failure(*allow);
                let general: Vec<Quota> = charge.quotas.general.iter().map(let_be).collect();
                let quotas = Applicable { general: &general, route: charge.quotas.route };
                shared.fallback.charge(&Charge { quotas, ..charge }, *allow)
            }
            _ => (LimiterFallback::Denied, Verdict::passed()),
        }
    }

    /// Does so, and tells of it.
    fn stand_in(
        self,
        shared: &Shared,
        passage: &Passage,
        error: &LimiterError,
    ) -> (LimiterFallback, Verdict) {
        let (fallback, verdict) = self.fall_back(shared, passage);
        tell(shared, error, fallback);
        (fallback, verdict)
    }

    fn charge<'a>(self, shared: &'a Shared, passage: &'a Passage) -> Option<Charge<'a>> {
        let Self { cost, taking, now } = self;
        let record = passage.record()?;
        let quotas = passage.quotas(&shared.policy, record);
        Some(Charge { record, quotas, cost, taking, now })
    }
}

/// Notes what became of the cost, and tells what quotas in shadow would have done.
pub(super) fn note_cost(shared: &Shared, passage: &mut Passage, answer: Answer) -> Decision {
    let decision = match answer {
        Ok(verdict) => note(passage, verdict),
        Err(error) => fail(shared, passage, &error, Ask::cost(passage)),
    };
    if shared.observed {
        tell_of_shadows(shared, passage);
    }
    decision
}

/// Notes whether there is room. Where a limiter that cannot say does not end the request, nothing is told:
/// it is asked for the cost next.
pub(super) fn note_room(shared: &Shared, passage: &mut Passage, answer: Answer) -> Decision {
    let error = match answer {
        Ok(verdict) => return note(passage, verdict),
        Err(error) => error,
    };
    let (fallback, verdict) = Ask::room(passage).fall_back(shared, passage);
    if fallback == LimiterFallback::Denied || verdict.retry_after().is_some() {
        tell(shared, &error, fallback);
    }
    note_fallback(passage, fallback, verdict)
}

/// Notes how the account stands that a refusal speaks to. It is refused anyway: a limiter that cannot
/// answer takes nothing from it but the headers.
pub(super) fn note_standing(shared: &Shared, passage: &mut Passage, answer: Answer) {
    match answer {
        Ok(verdict) => passage.verdict = verdict,
        Err(error) => shared.observer.limiter_failed(&error, LimiterFallback::Immaterial),
    }
}

fn note(passage: &mut Passage, verdict: Verdict) -> Decision {
    passage.verdict = verdict;
    match passage.verdict.retry_after() {
        Some(retry_after) => Err(Denial::RateLimited { retry_after }),
        None => Ok(()),
    }
}

/// Does what the quotas say of a limiter that fails.
#[cold]
fn fail(shared: &Shared, passage: &mut Passage, error: &LimiterError, ask: Ask) -> Decision {
    let (fallback, verdict) = ask.stand_in(shared, passage, error);
    note_fallback(passage, fallback, verdict)
}

fn note_fallback(passage: &mut Passage, fallback: LimiterFallback, verdict: Verdict) -> Decision {
    match fallback {
        LimiterFallback::Denied => Err(Denial::LimiterUnavailable),
        _ => note(passage, verdict),
    }
}

/// Counts what was done in place of a limiter that failed, and tells the operator.
fn tell(shared: &Shared, error: &LimiterError, fallback: LimiterFallback) {
    shared.fallback.count(fallback);
    shared.observer.limiter_failed(error, fallback);
}

fn tell_of_shadows(shared: &Shared, passage: &Passage) {
    let Some(record) = passage.record() else { return };
    let quotas = passage.quotas(&shared.policy, record);
    for index in passage.verdict.shadow_refusals() {
        if let Some((quota, _)) = quotas.iter().nth(index) {
            shared.observer.would_refuse(record, quota.name());
        }
    }
}

/// Takes what the handler added to the cost, with room or without; returns what has to be waited for.
pub(super) fn settle(shared: &Shared, passage: &mut Passage) -> Option<Settling> {
    let cost = passage.extra.as_ref().map_or(0, ExtraCost::settle);
    if cost == 0 {
        return None;
    }
    let ask = Ask { cost, taking: Taking::Always, now: shared.clock.now() };
    match ask.send(shared, passage) {
        Ok(answer) => {
            note_extra(shared, passage, answer, ask);
            None
        }
        Err(charge) => Some(Settling { charge, ask }),
    }
}

/// Waits until it was taken.
pub(super) fn resume_settling(
    shared: &Shared,
    passage: &mut Passage,
    settling: &mut Settling,
    context: &mut Context<'_>,
) -> Poll<()> {
    let answer = ready!(Pin::new(&mut settling.charge).poll(context));
    note_extra(shared, passage, answer, settling.ask);
    Poll::Ready(())
}

fn note_extra(shared: &Shared, passage: &mut Passage, answer: Answer, ask: Ask) {
    let verdict = match answer {
        Ok(verdict) => verdict,
        Err(error) => match ask.stand_in(shared, passage, &error) {
            (LimiterFallback::Local, verdict) => verdict,
            // It is served already, and its response says how the account stood before.
            _ => return,
        },
    };
    (passage.verdict, passage.now) = (verdict, ask.now);
}
