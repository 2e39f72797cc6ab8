//! Failed attempts that all processes count together: `reserve_shared` and `reserved` before a key is looked up, or
//! `count_shared` and `shared_counted` after an attempt has failed.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use super::attempt_waits::{CountedFailure, Presented, Reserving};
use super::charging::ChargeResult;
use super::deciding::Deciding;
use super::wait::{Next, Wait};
use crate::attempts::{AttemptLimiter, SharedAttempts, SharedCount, SharedReservation};
use crate::caller::ClientNetwork;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::limits::{LimiterFallback, Refund};
use crate::quota::Verdict;
use crate::request::Head;

impl Deciding<'_> {
    /// Counts the attempt of a suspicious network before its key is looked up. Returns `None` if the key can be looked up
    /// at once.
    pub(super) fn reserve_shared(&mut self, presented: Presented, head: Head<'_>) -> Option<Next> {
        let attempts = self.shared.counted.attempts.as_ref()?;
        let shared = attempts.shared.as_ref()?;
        let (reserved, address) = (self.state.attempt.as_ref()?, presented.client.address?);
        let (network, now) = (attempts.network(address), self.shared.now());
        if !attempts.has_others(reserved, now) && !shared.is_suspect(network, now) {
            return None;
        }
        Some(match shared.count(&network, now).into_now() {
            Ok(result) => self.reserved(result, network, presented, head),
            Err(charge) => {
                let reserving = Reserving { charge, presented, network };
                ControlFlow::Continue(Wait::Reserve(Box::new(reserving)))
            }
        })
    }

    /// Looks the key up if its network has room.
    pub(super) fn reserved(
        &mut self,
        result: ChargeResult,
        network: ClientNetwork,
        presented: Presented,
        head: Head<'_>,
    ) -> Next {
        let now = self.shared.now();
        match self.shared_count(result, network, now) {
            Ok(counted) => {
                let reservation = SharedReservation { network, counted };
                self.state.shared_attempt = Some(Box::new(reservation));
                self.look_up(presented, head)
            }
            Err(denial) => {
                self.give_back(now);
                self.refused(denial)
            }
        }
    }

    /// Counts an attempt that has failed, before it is refused.
    pub(super) fn count_shared(
        &mut self,
        shared: &SharedAttempts,
        network: ClientNetwork,
        address: IpAddr,
        denial: Denial,
    ) -> Next {
        match shared.count(&network, self.shared.now()).into_now() {
            Ok(result) => self.shared_counted(result, address, denial),
            Err(charge) => {
                let failure = CountedFailure { charge, denial, address };
                ControlFlow::Continue(Wait::Failure(Box::new(failure)))
            }
        }
    }

    /// Refuses a request whose failed attempt was counted.
    pub(super) fn shared_counted(
        &mut self,
        result: ChargeResult,
        address: IpAddr,
        denial: Denial,
    ) -> Next {
        let Some(attempts) = &self.shared.counted.attempts else { return self.refused(denial) };
        let (network, now) = (attempts.network(address), self.shared.now());
        if let (Err(_), Some(shared)) = (&result, &attempts.shared) {
            shared.suspect_unless_allowed(network, now);
        }
        match self.shared_count(result, network, now) {
            Ok(counted) => self.failed_where(&counted, address, denial),
            Err(denial) => self.refused(denial),
        }
    }

    /// Refuses a request whose attempt has failed, and was counted there.
    pub(super) fn failed_where(
        &mut self,
        counted: &SharedCount,
        address: IpAddr,
        denial: Denial,
    ) -> Next {
        self.report_last(counted, address);
        let over = counted.retry_after().map(|retry_after| Denial::TooManyFailures { retry_after });
        self.refused(over.unwrap_or(denial))
    }

    /// Returns where an attempt was counted.
    ///
    /// # Errors
    ///
    /// The denial if the network has a counter of its own without room, or if the limiter cannot answer and this denies.
    fn shared_count(
        &self,
        result: ChargeResult,
        network: ClientNetwork,
        now: Timestamp,
    ) -> Result<SharedCount, Denial> {
        let attempts = self.shared.counted.attempts.as_ref();
        let Some(shared) = attempts.and_then(|attempts| attempts.shared.as_ref()) else {
            return Ok(SharedCount::Uncounted);
        };
        let with_room = |verdict: &Verdict| match verdict.retry_after() {
            Some(retry_after) => Err(Denial::TooManyFailures { retry_after }),
            None => Ok(()),
        };
        let error = match result {
            Ok(verdict) if verdict.is_counted_together() => {
                return Ok(SharedCount::Together(verdict.retry_after()));
            }
            Ok(verdict) => {
                with_room(&verdict).inspect_err(|_| shared.suspect(network, now))?;
                return Ok(SharedCount::Shared(verdict));
            }
            Err(error) => error,
        };
        let fallback = &self.shared.counted.fallback;
        let (done, verdict) = fallback.charge(&shared.charge(&network, now), shared.otherwise());
        self.report_failure(&error, done);
        match done {
            LimiterFallback::Denied => Err(Denial::LimiterUnavailable),
            LimiterFallback::Local if verdict.is_counted_together() => {
                Ok(SharedCount::Together(verdict.retry_after()))
            }
            LimiterFallback::Local => with_room(&verdict).map(|()| SharedCount::Local(verdict)),
            _ => Ok(SharedCount::Uncounted),
        }
    }

    /// Reports the failed attempt that uses up the limit of its network.
    fn report_last(&self, counted: &SharedCount, address: IpAddr) {
        let (SharedCount::Shared(verdict) | SharedCount::Local(verdict)) = counted else { return };
        if let Some(status) = verdict.statuses().first().filter(|status| status.remaining() == 0) {
            // One attempt drains in this time at the latest.
            let attempts = self.shared.counted.attempts.as_ref();
            let retry_after = attempts.map_or(Duration::ZERO, AttemptLimiter::interval);
            let retry_after = retry_after.min(status.reset_after());
            self.shared.observe(|observer| observer.network_refused(address, retry_after));
        }
    }

    /// Gives back an attempt that was counted for all processes and has not failed.
    pub(super) fn give_shared_back(&self, reservation: &SharedReservation, now: Timestamp) {
        let attempts = self.shared.counted.attempts.as_ref();
        let Some(shared) = attempts.and_then(|attempts| attempts.shared.as_ref()) else { return };
        let SharedReservation { network, counted } = reservation;
        match counted {
            SharedCount::Shared(verdict) => shared.give_back(network, verdict, now),
            SharedCount::Local(verdict) => {
                let charge = shared.charge(network, now);
                let refund = Refund { charge, verdict, cost: 1, now };
                self.shared.counted.fallback.refund(&refund, shared.otherwise());
            }
            SharedCount::Together(_) | SharedCount::Uncounted => {}
        }
    }
}
