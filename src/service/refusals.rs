//! Refusing a request, and counting what is refused.

use std::ops::ControlFlow;

use super::deciding::Deciding;
use super::request_state::Decision;
use super::wait::Next;
use crate::attempts::{Alarms, Attempt};
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::request::{Client, Head};

impl Deciding<'_> {
    /// Refuses the request.
    pub(super) fn refused(&mut self, denial: Denial) -> Next {
        self.end_in_refusal(&denial);
        ControlFlow::Break(Err(denial))
    }

    /// Refuses a stranger, and counts the attempt of its network.
    pub(super) fn failed(&mut self, client: Client, mut denial: Denial) -> Next {
        if let (Some(attempts), Some(address)) = (&self.shared.attempts, client.address) {
            match attempts.fail(address, self.state.attempt.take(), self.shared.now()) {
                Attempt::Counted => {}
                Attempt::Last(retry_after) => {
                    self.shared.observe(|observer| observer.network_refused(address, retry_after));
                }
                Attempt::Over(retry_after) => denial = Denial::TooManyFailures { retry_after },
            }
        }
        self.refused(denial)
    }

    /// Gives back the attempt that was reserved for a request: it has not failed.
    pub(super) fn give_back(&mut self, now: Timestamp) {
        if let (Some(attempts), Some(reserved)) = (&self.shared.attempts, self.state.attempt.take())
        {
            attempts.give_back(reserved, now);
        }
    }

    /// Counts a request that the rules refuse, if its key is known.
    ///
    /// # Errors
    ///
    /// [`Denial::RateLimited`] if too many requests of the key were refused.
    pub(super) fn count_refusal(&self) -> Decision {
        let (Some(refusals), Some(record)) = (&self.shared.refusals, self.state.record()) else {
            return Ok(());
        };
        let counted = refusals.count(record.id(), self.state.now);
        counted.map_err(|retry_after| Denial::RateLimited { retry_after })
    }

    /// Reports a key that came over plain HTTP. Anybody can make keys up, so a network is reported a few
    /// times only, and with keys that fit a format; the digest of others is not computed.
    #[cold]
    pub(super) fn expose(&self, alarms: &Alarms, client: Client, head: Head<'_>) {
        let now = self.shared.now();
        if alarms.may_tell_of_exposure(client.address, now)
            && let Some(digest) = self.shared.policy.exposed_key(head.headers)
            && alarms.exposure(client.address, now)
        {
            self.shared.observe(|observer| observer.key_exposed(&digest));
        }
    }
}
