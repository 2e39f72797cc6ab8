//! How often the operator is alarmed: by one network, or of one key.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::FailedAttempts;
use super::events::EventLimiter;
use super::network::{Network, Prefixes};
use crate::clock::Timestamp;
use crate::key::KeyId;
use crate::quota::Quota;

/// The alarms of one subject. An hour is short enough for an operator to hear again of what goes on.
const ALARMS: Quota = Quota::new("alarms", 60, Duration::from_secs(3_600));
/// The networks and the keys that are remembered.
const SUBJECTS: usize = 8_192;

/// Bounds the alarms that strangers can raise: an observer may look a key up, or wake somebody.
#[derive(Debug)]
pub(crate) struct Alarms {
    exposures: EventLimiter,
    elsewhere: EventLimiter,
    prefixes: Prefixes,
}

impl Alarms {
    /// Bounds keys that came over plain HTTP as failed attempts are bounded, if they are.
    pub(crate) fn new(attempts: Option<&FailedAttempts>) -> Self {
        let quota = attempts.map_or(ALARMS, |attempts| attempts.quota.clone());
        let prefixes = attempts.map_or(FailedAttempts::PREFIXES, |attempts| attempts.prefixes);
        Self {
            exposures: EventLimiter::new(quota, SUBJECTS),
            elsewhere: EventLimiter::new(ALARMS, SUBJECTS),
            prefixes,
        }
    }

    /// Returns true if a key that came over plain HTTP from a client's network is worth a look. Clients
    /// of unknown address share one network.
    pub(crate) fn may_tell_of_exposure(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        self.exposures.has_room(self.network(client), now)
    }

    /// Counts an alarm of a key that came over plain HTTP; returns false if it is one too many.
    pub(crate) fn exposure(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        self.exposures.count(self.network(client), now).is_ok()
    }

    /// Counts an alarm of a key that was used elsewhere; returns false if it is one too many.
    pub(crate) fn used_elsewhere(&self, key: &KeyId, now: Timestamp) -> bool {
        self.elsewhere.count(key, now).is_ok()
    }

    fn network(&self, client: Option<IpAddr>) -> Network {
        self.prefixes.network(client.unwrap_or(Ipv4Addr::UNSPECIFIED.into()))
    }
}
