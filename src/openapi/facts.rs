//! Facts of an operation that OpenAPI has no words for, as extensions.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::gate::DescribedLimits;
use super::gated_operation::GatedOperation;
use super::security::has_too_many;
use crate::quota::{Per, Quota};

impl GatedOperation<'_> {
    /// Returns what a request of the operation costs whose query asks for nothing.
    pub(super) fn least_cost(&self) -> u32 {
        self.route.map_or(1, |route| route.cost)
    }

    /// Returns true if responses of the operation have limit headers, where the profile has any.
    pub(super) fn shows_limits(&self) -> bool {
        self.route.is_none_or(|route| route.shows_limits)
    }

    /// Returns the extensions of the operation.
    pub(super) fn facts(&self) -> Map<String, Value> {
        let mut facts = Map::new();
        let mut add = |name: &str, value: Value| drop(facts.insert(name.to_owned(), value));
        let is_counted = self.gate.limits == DescribedLimits::Counted;
        if is_counted {
            let only_own = self.route.is_some_and(|route| route.only_own_quotas);
            let profile = if only_own { &[][..] } else { self.gate.policy.profile_quotas() };
            let route = self.route.map_or(&[][..], |route| route.quotas.as_slice());
            let quotas: Vec<Value> = enforced(profile).chain(enforced(route)).collect();
            if !quotas.is_empty() {
                add("x-quotas", quotas.into());
            }
            add("x-cost", self.least_cost().into());
            let anonymous = self.gate.policy.anonymous_quotas(self.index);
            let anonymous = anonymous.iter().filter(|(quota, _)| !quota.is_in_shadow());
            let anonymous: Vec<Value> =
                anonymous.map(|(quota, _)| fact(quota, "network")).collect();
            if self.is_open && !anonymous.is_empty() {
                add("x-anonymous-quotas", anonymous.into());
            }
        }
        let Some(route) = self.route else { return facts };
        if is_counted && !route.query_costs.is_empty() {
            let costs = route.query_costs.iter();
            let costs = costs.map(|(parameter, each)| (parameter.to_owned(), each.into()));
            add("x-query-costs", Value::Object(costs.collect()));
        }
        if is_counted && route.metered {
            add("x-metered", true.into());
        }
        if is_counted && !route.refund_on.is_empty() {
            let ranges = route.refund_on.iter().map(|it| format!("{}-{}", it.start(), it.end()));
            add("x-refunded-statuses", ranges.collect());
        }
        if has_too_many(route) {
            let (any, sets) = (&route.any_of, &route.sets);
            add("x-scopes", json!({ "all-of": route.all_of, "any-of": any, "any-of-sets": sets }));
        }
        if let Some(kinds) = &route.kinds {
            add("x-key-kinds", json!(kinds));
        }
        if let Some(parameter) = &route.account_parameter {
            add("x-account-parameter", json!(parameter));
        }
        if let Some(rule) = route.concurrency {
            let wait = seconds(rule.longest_wait());
            add("x-concurrency", json!({ "limit": rule.limit(), "longest-wait-seconds": wait }));
        }
        if let Some(budget) = route.budget {
            add("x-time-budget-seconds", seconds(budget));
        }
        facts
    }
}

/// Lists the quotas that refuse requests. Those in shadow are no concern of a client's.
fn enforced(quotas: &[Quota]) -> impl Iterator<Item = Value> {
    let enforced = quotas.iter().filter(|quota| !quota.is_in_shadow());
    enforced.map(|quota| {
        let per = match quota.per() {
            Per::Account => "account",
            Per::Key => "key",
        };
        fact(quota, per)
    })
}

fn fact(quota: &Quota, per: &str) -> Value {
    json!({
        "name": quota.name(),
        "limit": quota.limit(),
        "window-seconds": seconds(quota.window()),
        "algorithm": quota.algorithm().name(),
        "per": per,
    })
}

/// Returns seconds as a whole number, or as one with a fraction.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 {
        duration.as_secs().into()
    } else {
        duration.as_secs_f64().into()
    }
}
