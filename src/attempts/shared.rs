//! The count of failed attempts that several processes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::events::EventLimiter;
use crate::caller::{Caller, ClientNetwork};
use crate::clock::Timestamp;
use crate::limits::{Charge, ChargeMode, Limiter, LimiterError, Refund};
use crate::quota::{Algorithm, AppliedQuotas, OnLimiterFailure, Quota, Verdict};
use crate::sync::Reply;

/// The name of the counters. No quota of a deployment can have it, because it has a space.
const NAME: &str = "failed attempts";

/// The limiter that counts for all processes, and the choice for the time in which it cannot answer.
#[derive(Clone)]
pub(super) struct AttemptCounter {
    pub(super) limiter: Arc<dyn Limiter>,
    pub(super) otherwise: OnLimiterFailure,
}

/// A count of failed attempts by network, for all processes that use the same limiter.
pub(crate) struct SharedAttempts {
    counter: AttemptCounter,
    quotas: [Quota; 1],
    /// The networks that the limiter has refused within the last window, or whose failed attempt it could not count.
    suspects: EventLimiter,
}

/// An attempt that was counted before its key is looked up.
#[derive(Debug)]
pub(crate) struct SharedReservation {
    pub(crate) network: ClientNetwork,
    pub(crate) counted: SharedCount,
}

/// Where an attempt was counted.
#[derive(Debug)]
pub(crate) enum SharedCount {
    /// By the limiter.
    Shared(Verdict),
    /// In this process, because the limiter could not answer.
    Local(Verdict),
    /// Together with other networks, and with room after this time if it had none.
    Together(Option<Duration>),
    /// Nowhere, because the limiter could not answer.
    Uncounted,
}

impl SharedAttempts {
    /// Creates a count with this quota, which remembers this many suspects. Takes over the suspects of the previous
    /// count.
    pub(super) fn new(
        counter: AttemptCounter,
        quota: &Quota,
        networks: usize,
        previous: Option<(&Self, Timestamp)>,
    ) -> Self {
        let shared = Quota::new(NAME, quota.limit(), quota.window());
        let previous = previous.map(|(shared, now)| (&shared.suspects, now));
        let suspects = Quota::new("suspects", 1, quota.window());
        Self {
            counter,
            quotas: [shared.with_algorithm(Algorithm::LeakyBucket)],
            suspects: EventLimiter::new(suspects, networks, previous),
        }
    }

    /// Returns what the gate does while the limiter cannot answer.
    pub(crate) const fn otherwise(&self) -> OnLimiterFailure {
        self.counter.otherwise
    }

    /// Returns the charge of an attempt.
    pub(crate) fn charge<'a>(&'a self, network: &'a ClientNetwork, now: Timestamp) -> Charge<'a> {
        let quotas = AppliedQuotas { general: &self.quotas, route: &[] };
        let (caller, mode) = (Caller::Network(network), ChargeMode::IfAllowed);
        Charge { caller, quotas, cost: 1, mode, now }
    }

    /// Counts an attempt.
    pub(crate) fn count(
        &self,
        network: &ClientNetwork,
        now: Timestamp,
    ) -> Reply<Result<Verdict, LimiterError>> {
        self.counter.limiter.charge(self.charge(network, now))
    }

    /// Gives back an attempt that did not fail.
    pub(crate) fn give_back(&self, network: &ClientNetwork, verdict: &Verdict, now: Timestamp) {
        let charge = self.charge(network, now);
        // A limiter gives back even if the future is not polled.
        drop(self.counter.limiter.refund(Refund { charge, verdict, cost: 1, now }));
    }

    /// Remembers that the limiter has refused a network.
    pub(crate) fn suspect(&self, network: ClientNetwork, now: Timestamp) {
        let _ = self.suspects.count(network, now);
    }

    /// Remembers a network with a failed attempt that the limiter could not count, unless the choice is to allow. So the
    /// next key of the network is not looked up before the limiter, or what stands for it, has been asked.
    pub(crate) fn suspect_unless_allowed(&self, network: ClientNetwork, now: Timestamp) {
        if self.counter.otherwise != OnLimiterFailure::Allow {
            self.suspect(network, now);
        }
    }

    /// Returns true if a network became a suspect within the last window.
    pub(crate) fn is_suspect(&self, network: ClientNetwork, now: Timestamp) -> bool {
        !self.suspects.has_room(network, now)
    }
}

impl SharedCount {
    /// Returns how long a network waits that counts together with others, without room. Others can use that room up, so
    /// this is a reason to refuse a failed attempt, and none to refuse a key before it is looked up.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Together(retry_after) => *retry_after,
            Self::Shared(_) | Self::Local(_) | Self::Uncounted => None,
        }
    }
}

impl fmt::Debug for AttemptCounter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AttemptCounter").field(&self.otherwise).finish()
    }
}
