//! Whether the gateway can serve: its store and its upstreams answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;
use tower_api_key::key::KeyDigest;

use crate::front_door::FrontDoor;
use crate::in_force::Current;

/// How long an answer is repeated, so that probes cannot burden upstreams.
const FRESH: Duration = Duration::from_secs(1);
/// The longest time that a probe waits for the store.
const LONGEST_LOOKUP: Duration = Duration::from_secs(2);

/// Finds out whether the gateway can serve.
pub(crate) struct Readiness {
    front_door: FrontDoor,
    current: Current,
    is_ending: AtomicBool,
    latest: Mutex<Option<(Instant, Report)>>,
}

/// What the latest probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) is_ready: bool,
    pub(crate) text: String,
}

impl Readiness {
    pub(crate) fn new(front_door: FrontDoor, current: Current) -> Self {
        Self { front_door, current, is_ending: false.into(), latest: Mutex::default() }
    }

    /// Fails all probes from now on.
    pub(crate) fn begin_to_end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Asks the store and all upstreams, or repeats the answer of the last second.
    pub(crate) async fn report(&self) -> Report {
        if self.is_ending.load(Ordering::Relaxed) {
            return Report { is_ready: false, text: "ending\n".to_owned() };
        }
        let mut latest = self.latest.lock().await;
        if let Some((at, report)) = &*latest
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let report = self.probe().await;
        *latest = Some((Instant::now(), report.clone()));
        report
    }

    async fn probe(&self) -> Report {
        // No key has this digest; a store that says so works.
        let store = self.front_door.store().await;
        let lookup = store.find(&KeyDigest::from_bytes([0; 32]));
        let store = matches!(timeout(LONGEST_LOOKUP, lookup).await, Ok(Ok(_)));
        let mut upstreams = BTreeMap::new();
        for (name, upstream) in &self.current.load_full().routing.upstreams {
            upstreams.insert(name.clone(), upstream.reachable().await);
        }
        let is_ready = store && upstreams.values().all(|(reachable, _)| *reachable > 0);
        let mut text = format!("store: {}\n", if store { "answers" } else { "does not answer" });
        for (name, (reachable, all)) in upstreams {
            text.push_str(&format!("upstream {name}: {reachable} of {all} reachable\n"));
        }
        Report { is_ready, text }
    }
}
