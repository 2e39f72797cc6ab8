//! Single flight: one call for all requests of an account that find no token to spend.

use std::mem;
use std::sync::Arc;

use tokio::time::Instant;

use super::flight_question::FlightQuestion;
use super::rule::Lease;
use super::server_clock::ServerClock;
use super::shard::{Entry, Slot, Waiting};
use super::table::LeaseTable;
use super::timer;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::script::ChargeScript;

/// A call that is under way. When it ends or is dropped, every waiting request gets an answer or an error.
pub(crate) struct Flight {
    leases: Arc<LeaseTable>,
    slot: Slot,
    is_over: bool,
}

impl Flight {
    pub(crate) const fn new(leases: Arc<LeaseTable>, slot: Slot) -> Self {
        Self { leases, slot, is_over: false }
    }

    /// Makes calls until all waiting requests are answered. Runs as a task of its own, because the request that
    /// started it may be dropped.
    pub(crate) async fn run(mut self, script: Arc<ChargeScript>) {
        let lease = self.leases.lease;
        let (leases, slot) = (&self.leases, &self.slot);
        loop {
            // While calls fail, what they take in advance may be lost.
            let in_doubt = script.is_in_doubt(&slot.counted);
            let prepared = leases.with(slot, |entry| prepare(entry, &lease, in_doubt));
            let Some(request) = prepared.flatten() else { break };
            let answer = request.ask(&script, &slot.counted).await;
            leases.with(slot, |entry| settle(entry, &lease, &request, answer));
            if leases.watch(slot) && script.on_server_time() {
                timer::start(leases, &script);
            }
        }
        self.is_over = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.is_over {
            self.leases.with(&self.slot, |entry| entry.waiting = None);
        }
    }
}

/// Returns the question for all waiting requests. Returns `None` without one, and ends the flight.
fn prepare(entry: &mut Entry, lease: &Lease, in_doubt: bool) -> Option<FlightQuestion> {
    let waiting = entry.waiting.as_mut()?;
    waiting.retain(|waiting| !waiting.reply.is_closed());
    let Some(first) = waiting.first() else {
        entry.waiting = None;
        return None;
    };
    let demand = waiting.iter().fold(0, |sum: u32, waiting| sum.saturating_add(waiting.cost));
    let latest = waiting.iter().fold(first.now, |latest, waiting| latest.max(waiting.now));
    let (cost, count) = (first.cost, waiting.len());
    let (batch, clock) = (entry.held.prepare(latest, lease, in_doubt), entry.clock);
    Some(FlightQuestion { cost, demand, count, batch, clock })
}

/// Answers the waiting requests, in the order in which they came. Requests that the answer does not decide stay
/// for another call.
fn settle(
    entry: &mut Entry,
    lease: &Lease,
    request: &FlightQuestion,
    answer: Result<(Answer, Instant), Failure>,
) {
    let Entry { held, waiting, clock, .. } = entry;
    // An empty list stays until the flight is over, so that no other flight begins.
    let all = waiting.as_mut().map(mem::take).unwrap_or_default();
    let (answer, asked) = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            for waiting in all {
                let _ = waiting.reply.send(Err(failure.clone()));
            }
            return;
        }
    };
    *clock = Some(ServerClock::new(asked, answer.served_at));
    held.settle(request.batch.at, request.cost, answer, lease);
    let mut left = Vec::new();
    for (index, Waiting { cost, now, reply }) in all.into_iter().enumerate() {
        // A request that came after the call began is answered as one that comes now.
        let verdict = if index < request.count {
            held.pay(cost).or_else(|| held.refuse(cost))
        } else {
            held.answer_now(cost)
        };
        match verdict {
            // Tokens of a client that hung up are not reused: in a later window they could exceed the
            // limit.
            Some(verdict) => drop(reply.send(Ok(verdict))),
            None => left.push(Waiting { cost, now, reply }),
        }
    }
    *waiting = Some(left);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::shard::LeaseReply;
    use super::super::table::NextStep;
    use super::*;
    use crate::limiter::RedisLimiter;
    use crate::question::Marks;
    use tower_api_key::caller::Caller;
    use tower_api_key::clock::Timestamp;
    use tower_api_key::key::KeyRecord;
    use tower_api_key::limits::{Charge, ChargeMode, Limiter};
    use tower_api_key::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};

    const LEASE: Lease = Lease::new();
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);
    static MINUTE: [Quota; 1] = [Quota::new("minute", 10, Duration::from_secs(60))];

    fn record(account: &str) -> KeyRecord {
        crate::bare("key_1", account)
    }

    fn charge(record: &KeyRecord) -> Charge<'_> {
        let quotas = AppliedQuotas { general: &MINUTE, route: &[] };
        Charge {
            caller: Caller::Key(record),
            quotas,
            cost: 1,
            mode: ChargeMode::IfAllowed,
            now: NOW,
        }
    }

    #[test]
    fn a_flight_that_is_dropped_leaves_no_request_waiting() {
        let limiter = RedisLimiter::builder("redis://127.0.0.1").lease(LEASE).build().unwrap();
        // Outside of a runtime no call can be made, so each of these requests starts a flight that is dropped.
        let records = [record("acme"), record("acme"), record("globex")];
        let charges = records.each_ref().map(|record| limiter.charge(charge(record)));
        assert_eq!(limiter.held(), 2);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for reply in charges {
                let reply = tokio::time::timeout(Duration::from_secs(1), reply).await;
                let error = reply.expect("the request is answered").unwrap_err();
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert_eq!(source, Failure::Abandoned.to_string());
            }
        });
        let without = RedisLimiter::open("redis://127.0.0.1").unwrap();
        drop(without.charge(charge(&records[0])));
        assert_eq!(without.held(), 0);
    }

    #[test]
    fn an_answer_pays_for_its_requests_and_for_later_ones_while_it_counts() {
        // A batch of no more than a tick is over when it comes.
        for (lasts, paid) in [(Duration::ZERO, 2), (Duration::from_secs(8), 3)] {
            let (leases, record) = (LeaseTable::new(LEASE), record("acme"));
            let come = || match leases.next_step(&record, &charge(&record)) {
                NextStep::Waits(receiver, slot) => (receiver, slot),
                _ => panic!("the request does not wait"),
            };
            let (first, slot) = come();
            let slot = slot.unwrap();
            let (second, _) = come();
            let request =
                leases.with(&slot, |entry| prepare(entry, &LEASE, false)).flatten().unwrap();
            assert_eq!((request.cost, request.demand, request.count), (1, 2, 2));
            let (third, _) = come();
            let mut verdict = Verdict::passed();
            verdict.push(QuotaStatus::new(10, 0, Duration::from_secs(60)));
            let marks = Marks::from_slice(&[[7, 0]]);
            let answer = Answer { verdict, taken: 3, lasts, marks, served_at: 0, is_late: false };
            let answer = Ok((answer, Instant::now()));
            leases.with(&slot, |entry| settle(entry, &LEASE, &request, answer));
            for (index, mut receiver) in [first, second, third].into_iter().enumerate() {
                let reply: Option<LeaseReply> = receiver.try_recv().ok();
                assert_eq!(
                    reply.is_some_and(|reply| reply.is_ok()),
                    index < paid,
                    "{index}, {lasts:?}"
                );
            }
            let left = leases.with(&slot, |entry| entry.waiting.as_ref().map(Vec::len));
            assert_eq!(left.flatten(), Some(3 - paid), "{lasts:?}");
        }
    }
}
