//! Settling: what the gate charges or gives back when the inner service has ended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;

use super::charging::{Ask, ChargeReply, ChargeResult};
use super::deciding::Deciding;
use super::options::Limits;
use crate::clock::Timestamp;
use crate::decision::{CostChange, ExtraCost, WaitOutcome, WaitTarget};
use crate::limits::{LimiterFallback, Refund};

/// A charge or a refund that the limiter has not answered yet.
pub(super) struct Settlement {
    reply: ChargeReply,
    change: SettledCost,
}

/// How the inner service ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceEnd {
    /// With a response or an error, for which the client gets this status.
    Answered(StatusCode),
    /// The time budget was spent. No rule gives back the cost of the most expensive requests.
    TimedOut,
    /// The client hung up. It gets nothing back.
    HungUp,
}

/// How the cost of a served request changes.
#[derive(Clone, Copy)]
enum SettledCost {
    Charge(Ask),
    Refund { cost: u32, now: Timestamp },
}

impl Deciding<'_> {
    /// Charges the cost that the handler added, even to quotas without room, or gives a cost back. Returns
    /// the settlement if the limiter has not answered yet.
    pub(super) fn settle(&mut self, end: ServiceEnd) -> Option<Settlement> {
        let change = match self.change(end) {
            0 => return None,
            more @ 1.. => {
                let added = u32::try_from(more).unwrap_or(u32::MAX);
                SettledCost::Charge(Ask::afterwards(added, self.shared.now()))
            }
            _ if end == ServiceEnd::HungUp => return None,
            less => {
                let now = self.shared.now();
                let cost = u32::try_from(less.unsigned_abs()).unwrap_or(u32::MAX);
                SettledCost::Refund { cost: cost.min(self.state.cost), now }
            }
        };
        let asked = match change {
            SettledCost::Charge(ask) => self.ask(ask),
            SettledCost::Refund { cost, now } => self.refund(cost, now)?,
        };
        match asked {
            Ok(result) => {
                self.note_change(result, change);
                None
            }
            Err(reply) => Some(Settlement { reply, change }),
        }
    }

    /// Returns what is added to the cost of the request; less than 0 is given back.
    fn change(&self, end: ServiceEnd) -> i64 {
        let nothing = -i64::from(self.state.cost);
        // Settled in any case, so that the handler learns of it.
        let change = self.state.extra.as_ref().map(ExtraCost::settle);
        if let ServiceEnd::Answered(status) = end
            && let Some(route) = self.shared.policy.route(self.state.route)
            && route.refunds(status)
        {
            return nothing;
        }
        match change {
            None => 0,
            Some(CostChange::ToNothing) => nothing,
            Some(CostChange::By { added, refunded }) => {
                (i64::from(added) - i64::from(refunded)).max(nothing)
            }
        }
    }

    /// Asks to give a cost back, where the charge was counted. Returns `None` if there is nothing to give back.
    fn refund(&mut self, cost: u32, now: Timestamp) -> Option<Result<ChargeResult, ChargeReply>> {
        // Which quotas a charge under an unknown plan was counted in is not kept.
        if cost == 0 || self.state.plan.is_unknown() {
            return None;
        }
        let Limits::Counted(limiter, otherwise) = &self.shared.options.limits else {
            return None;
        };
        let charge = Ask::cost(self.state).charge(&self.shared.policy, self.state)?;
        let refund = Refund { charge, verdict: &self.state.verdict, cost, now };
        match self.state.fallback {
            None if charge.quotas.is_empty() => None,
            None => Some(limiter.refund(refund).into_now()),
            Some(LimiterFallback::Local) => self
                .shared
                .counted
                .fallback
                .refund(&refund, *otherwise)
                .map(|verdict| Ok(Ok(verdict))),
            Some(_) => None,
        }
    }

    /// Waits for the limiter's answer.
    pub(super) fn resume_settling(
        &mut self,
        settlement: &mut Settlement,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        self.observe_wait();
        let result = ready!(Pin::new(&mut settlement.reply).poll(context));
        self.observe_waited(WaitTarget::Limiter, WaitOutcome::of(&result));
        self.note_change(result, settlement.change);
        Poll::Ready(())
    }

    /// Records what is left, for the limit headers of the response. If the limiter cannot answer, the headers
    /// report what was left before the change.
    fn note_change(&mut self, result: ChargeResult, change: SettledCost) {
        let (verdict, now) = match (result, change) {
            (Ok(verdict), SettledCost::Charge(ask)) => (verdict, ask.now()),
            (Ok(verdict), SettledCost::Refund { cost, now }) => {
                let state = &*self.state;
                self.shared.observe(|observer| match (state.record(), &state.network) {
                    (Some(record), _) => observer.refunded(record, cost),
                    (None, Some(network)) => observer.refunded_anonymous(network, cost),
                    (None, None) => {}
                });
                (verdict, now)
            }
            (Err(error), SettledCost::Charge(ask)) => match self.fall_back(&error, ask) {
                (LimiterFallback::Local, verdict) => (verdict, ask.now()),
                _ => return,
            },
            (Err(error), SettledCost::Refund { .. }) => {
                return self.report_failure(&error, LimiterFallback::NotRefunded);
            }
        };
        (self.state.verdict, self.state.now) = (verdict, now);
    }
}
