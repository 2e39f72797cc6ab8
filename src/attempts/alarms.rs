//! A limit on alarms to the operator, by network and by key.

use std::net::IpAddr;
use std::time::Duration;

use super::FailedAttempts;
use super::events::EventLimiter;
use crate::caller::{ClientNetwork, Prefixes};
use crate::clock::Timestamp;
use crate::key::KeyId;
use crate::quota::Quota;

/// The alarms of one subject: 60 an hour. So an alarm that goes on is repeated within the hour.
const ALARMS: Quota = Quota::new("alarms", 60, Duration::from_secs(3_600));
/// The number of networks, and of keys, that are remembered.
const SUBJECTS: usize = 8_192;

/// A limit on the alarms that clients can cause. The observer of an alarm may look up a key, or call an
/// operator.
#[derive(Debug)]
pub(crate) struct Alarms {
    exposures: EventLimiter,
    elsewhere: EventLimiter,
    prefixes: Prefixes,
}

impl Alarms {
    /// Creates the limits. Alarms of keys sent over plain HTTP have the limit of failed attempts, if there is
    /// one. Takes over what the previous limits have counted, by network only if the prefixes are the same.
    pub(crate) fn new(
        attempts: Option<&FailedAttempts>,
        previous: Option<(&Self, Timestamp)>,
    ) -> Self {
        let quota = attempts.map_or(ALARMS, |attempts| attempts.quota.clone());
        let prefixes = attempts.map_or(Prefixes::SITE, |attempts| attempts.prefixes);
        let of_same_networks = previous.filter(|(previous, _)| previous.prefixes == prefixes);
        let exposures = of_same_networks.map(|(previous, now)| (&previous.exposures, now));
        let elsewhere = previous.map(|(previous, now)| (&previous.elsewhere, now));
        Self {
            exposures: EventLimiter::new(quota, SUBJECTS, exposures),
            elsewhere: EventLimiter::new(ALARMS, SUBJECTS, elsewhere),
            prefixes,
        }
    }

    /// Returns true if the client's network has room for another alarm of a key sent over plain HTTP. Clients
    /// of unknown address share one network.
    pub(crate) fn may_tell_of_exposure(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        self.exposures.has_room(self.network(client), now)
    }

    /// Counts an alarm of a key sent over plain HTTP. Returns false if the alarm is over the limit.
    pub(crate) fn exposure(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        self.exposures.count(self.network(client), now).is_ok()
    }

    /// Counts an alarm of a key that was used elsewhere. Returns false if the alarm is over the limit.
    pub(crate) fn used_elsewhere(&self, key: &KeyId, now: Timestamp) -> bool {
        self.elsewhere.count(key, now).is_ok()
    }

    fn network(&self, client: Option<IpAddr>) -> ClientNetwork {
        client.map_or(ClientNetwork::UNKNOWN, |client| self.prefixes.network(client))
    }
}
