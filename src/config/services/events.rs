//! Events, as they stand in a file.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::backends::StoreSettings;
use crate::config::duration::LengthOfTime;
use crate::config::read::{Contradiction, Path};

/// The least time between two sweeps, each of which reads many keys.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// The tries of a delivery take 75 hours, and an event that is deleted is not delivered.
const LEAST_KEPT: Duration = Duration::from_secs(4 * 86_400);

/// The table `[events]`: records what requests and time do to keys, and deletes old events. `docs/events.md` lists the
/// events.
///
/// The core runs nothing. `tower-api-key-front-door` runs what this says, in the database of `[store]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EventSettings {
    /// Logs each event by `tracing`, at INFO. Of several processes, one logs it. The store knows this log as the sink `log`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// Of requests, records only keys that came in clear or from elsewhere, so that other requests cost nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alarms_only: bool,
    /// The time between two looks for keys that expire or are not used: 15 minutes unless set, and at least 1 second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<LengthOfTime>,
    /// How long events are kept: 30 days unless set, and at least 4 days, because a webhook is tried for 75 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<LengthOfTime>,
    /// After how many days without use an active key has an event: never unless set. Needs `store.cache` or
    /// `store.replica`, which record uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
}

impl EventSettings {
    /// The name under which a store keeps what the log has received.
    pub const LOG_NAME: &str = "log";

    /// Finds what contradicts itself.
    pub(in crate::config) fn check(
        &self,
        store: Option<&StoreSettings>,
        found: &mut Vec<Contradiction>,
    ) {
        let path = Path::default().field("events");
        let in_store = |name: &str| Path::default().field("store").field(name);
        if store.is_some_and(|store| store.scheme() == "memory") {
            let problem = "a store in memory keeps no events";
            let contradiction = Contradiction::new(path.clone(), &problem).beside(in_store("url"));
            found.push(contradiction.remedy("name a database in `store.url`, or remove the table"));
        }
        if self.interval.is_some_and(|interval| interval.duration() < LEAST_INTERVAL) {
            let problem = "each look reads many keys: write at least \"1s\"";
            found.push(Contradiction::new(path.field("interval"), &problem));
        }
        if self.keep.is_some_and(|kept| kept.duration() < LEAST_KEPT) {
            let problem = "a webhook is tried for 75 hours, and an event that is gone is not sent: write at least \"4d\"";
            found.push(Contradiction::new(path.field("keep"), &problem));
        }
        let Some(days) = self.unused_days else { return };
        if days == 0 {
            let problem = "each key would be unused at once: write at least 1";
            found.push(Contradiction::new(path.field("unused_days"), &problem));
        }
        if store.is_some_and(|store| store.cache.is_none() && store.replica.is_none()) {
            let problem = "no use of a key is recorded, so each key would count as unused: add the table \
                `store.cache` or `store.replica`";
            let contradiction = Contradiction::new(path.field("unused_days"), &problem);
            found.push(contradiction.beside(in_store("cache")).beside(in_store("replica")));
        }
    }
}
