//! The facts that examples of answers show.

use std::time::Duration;

use super::gate::{DescribedGate, DescribedLimits};
use crate::clock::Timestamp;
use crate::key::{Account, KeyRecord};
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};
use crate::rules::RouteNeeds;

/// The instant of all examples: the begin of 2026, so that a document does not depend on when it is made.
pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

/// The wait that examples show, if no quota has a shorter window.
pub(super) const WAIT: Duration = Duration::from_secs(30);

/// A key and the quotas of its account.
pub(super) struct Sample {
    pub(super) record: Option<KeyRecord>,
    /// The quotas of the profile. What plans and accounts have is theirs to know, and no document shows it.
    general: Vec<Quota>,
    /// A made-up quota, where the profile and the route have none: a limiter counts those of plans and accounts, too.
    own: Vec<Quota>,
}

impl Sample {
    pub(super) fn new(gate: &DescribedGate<'_>) -> Self {
        let is_counted = gate.limits == DescribedLimits::Counted;
        let own = is_counted.then(|| Quota::new("requests", 100, Duration::from_secs(60)));
        let general = gate.policy.profile_quotas().to_vec();
        Self { record: record(gate), general, own: own.into_iter().collect() }
    }

    /// Returns the quotas that apply to a request of a route.
    pub(super) fn quotas<'a>(&'a self, route: Option<&'a RouteNeeds>) -> AppliedQuotas<'a> {
        let only_own = route.is_some_and(|route| route.only_own_quotas);
        let route = route.map_or(&[][..], |route| route.quotas.as_slice());
        let general = match (&*self.general, route) {
            _ if only_own => &[][..],
            ([], []) => &self.own,
            (general, _) => general,
        };
        AppliedQuotas { general, route }
    }

    /// Returns the verdict about a request that passed, or that one quota refused.
    pub(super) fn verdict(&self, route: Option<&RouteNeeds>, refuses: bool) -> Verdict {
        let mut verdict = Verdict::passed();
        let wait = self.wait(route);
        for (quota, _) in self.quotas(route).iter() {
            let window = quota.window();
            if quota.is_in_shadow() {
                let status = QuotaStatus::new(quota.limit(), quota.limit(), window);
                verdict.push_in_shadow(status, false);
            } else if refuses && verdict.retry_after().is_none() {
                verdict.push(QuotaStatus::new(quota.limit(), 0, wait));
                verdict.refuse(wait);
            } else {
                let left = quota.limit().saturating_sub(1);
                verdict.push(QuotaStatus::new(quota.limit(), left, window));
            }
        }
        verdict
    }

    /// Returns the wait that a refusal of the route's quotas shows.
    pub(super) fn wait(&self, route: Option<&RouteNeeds>) -> Duration {
        let mut quotas = self.quotas(route).iter().map(|(quota, _)| quota);
        let first = quotas.find(|quota| !quota.is_in_shadow());
        first.map_or(WAIT, |quota| quota.window().min(WAIT))
    }
}

/// Returns the record of a key that the gate would admit; `None` never, because the names are valid.
fn record(gate: &DescribedGate<'_>) -> Option<KeyRecord> {
    let account = Account::builder("acme").build().ok()?;
    let mut builder = KeyRecord::builder("key_1", account);
    if let Some(environment) = gate.policy.some_environment() {
        builder = builder.environment(environment);
    }
    for name in gate.renderer.metadata_names() {
        builder = builder.metadata(name, "value");
    }
    builder.build().ok()
}
