//! Refusing requests, and counting refusals.

use std::iter::successors;
use std::net::IpAddr;
use std::ops::ControlFlow;

use super::deciding::Deciding;
use super::request_state::Decision;
use super::wait::Next;
use crate::attempts::{Alarms, Attempt};
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::OtherDigest;
use crate::request::{Client, Head};

impl Deciding<'_> {
    /// Refuses the request.
    pub(super) fn refused(&mut self, denial: Denial) -> Next {
        self.end_in_refusal(&denial);
        ControlFlow::Break(Err(denial))
    }

    /// Refuses a request that has failed to authenticate, and counts the attempt for the client's network.
    pub(super) fn failed(&mut self, client: Client, mut denial: Denial) -> Next {
        if let (Some(attempts), Some(address)) = (&self.shared.counted.attempts, client.address) {
            let reserved = self.state.shared_attempt.take();
            match attempts.fail(address, self.state.attempt.take(), self.shared.now()) {
                Attempt::Over(retry_after) => denial = Denial::TooManyFailures { retry_after },
                counted => match (&attempts.shared, reserved) {
                    (None, _) => self.report_attempt(counted, address),
                    // What all processes have counted says whether it was the last one.
                    (Some(_), Some(reserved)) => {
                        return self.failed_where(&reserved.counted, address, denial);
                    }
                    (Some(shared), None) => {
                        let network = attempts.network(address);
                        return self.count_shared(shared, network, address, denial);
                    }
                },
            }
        }
        self.refused(denial)
    }

    /// Reports the failed attempt that uses up the limit of its network.
    fn report_attempt(&self, counted: Attempt, address: IpAddr) {
        if let Attempt::Last(retry_after) = counted {
            self.shared.observe(|observer| observer.network_refused(address, retry_after));
        }
    }

    /// Keeps the key of a refused request without its secret part, if an answer may show it.
    pub(super) fn mask(&mut self, head: Head<'_>) {
        if self.shared.renderer.shows_keys() {
            self.state.masked_key = self.shared.policy.masked_key(head);
        }
    }

    /// Gives back the attempt that was reserved for a request, because the attempt has not failed.
    pub(super) fn give_back(&mut self, now: Timestamp) {
        if let (Some(attempts), Some(reserved)) =
            (&self.shared.counted.attempts, self.state.attempt.take())
        {
            attempts.give_back(reserved, now);
            if let Some(reserved) = self.state.shared_attempt.take() {
                self.give_shared_back(&reserved, now);
            }
        }
    }

    /// Counts a request that the rules refuse, for its key.
    ///
    /// # Errors
    ///
    /// [`Denial::RateLimited`] if the rules have refused too many requests of the key.
    pub(super) fn count_refusal(&self) -> Decision {
        let (Some(refusals), Some(record)) = (&self.shared.counted.refusals, self.state.record())
        else {
            return Ok(());
        };
        let counted = refusals.count(record.id(), self.state.now);
        counted.map_err(|retry_after| Denial::RateLimited { retry_after })
    }

    /// Reports a key that came over plain HTTP. Anyone can make keys up, so only keys that fit a format are
    /// reported, and a limited number for each network. No digest is computed for other keys.
    #[cold]
    pub(super) fn expose(&self, alarms: &Alarms, client: Client, head: Head<'_>) {
        let now = self.shared.now();
        if alarms.may_tell_of_exposure(client.address, now)
            && let Some(digest) = self.shared.policy.current_digest(head)
            && alarms.exposure(client.address, now)
        {
            self.shared.observe(|observer| observer.key_exposed(&digest));
            let other = |place| self.shared.policy.other_digest(head, place, now);
            let others = successors(other(0), |before| other(before.following));
            for OtherDigest { digest, .. } in others {
                self.shared.observe(|observer| observer.key_exposed(&digest));
            }
        }
    }
}
