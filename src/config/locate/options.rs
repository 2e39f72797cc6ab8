//! The path of an option that the builder refuses.

use super::wording;
use crate::config::read::{Contradiction, Path};
use crate::config::tables::FrontDoorTable;
use crate::error::ConfigError;
use crate::quota::InvalidQuota;

/// How errors begin that name a route.
const ROUTE: &str = "route pattern `";

impl FrontDoorTable {
    /// Quotas of the file are checked where they are described. Those of attempts and refusals have fixed names.
    pub(super) fn quota_at(problem: &InvalidQuota, error: &ConfigError) -> Contradiction {
        let root = Path::default();
        let path = match problem.name() {
            "failed-attempts" => root.field("failed_attempts"),
            "refused-requests" => root.field("refused_requests"),
            _ => root.field("profile").field("quotas"),
        };
        wording::at(path, error)
    }

    /// Returns the path of a value in the rules of scopes.
    pub(super) fn scope_path(&self, field: &str, value: &str) -> Path {
        let path = Path::default().field("scopes").field(field);
        let rows = self.scopes.as_ref().map_or(&[][..], |scopes| &scopes.hierarchy.0);
        if field != "hierarchy" {
            return path;
        }
        for (upper, lower) in rows {
            if upper == value {
                return path.field(upper);
            }
            if let Some(index) = lower.iter().position(|scope| scope == value) {
                return path.field(upper).item(index);
            }
        }
        path
    }

    /// Returns the path of an option of the replica.
    pub(super) fn replica_path(option: &str) -> Path {
        Path::default().field("store").field("replica").field(option)
    }

    /// Returns the path of a network's length.
    pub(super) fn prefix_path(method: &str, bits: u8) -> Path {
        let option = if method.starts_with("FailedAttempts") {
            "failed_attempts"
        } else {
            "anonymous_quotas"
        };
        let family = if bits == 32 { "ipv4" } else { "ipv6" };
        Path::default().field(option).field("prefixes").field(family)
    }

    /// Returns the path of the number of what is remembered.
    pub(super) fn capacity_path(what: &str) -> Path {
        let root = Path::default();
        if what.starts_with("keys") {
            root.field("refused_requests").field("keys")
        } else {
            root.field("failed_attempts").field("capacity")
        }
    }

    /// Returns the path of a list without values.
    pub(super) fn list_at(&self, place: &str, list: &str, error: &ConfigError) -> Contradiction {
        let root = Path::default();
        if let Some(pattern) = pattern_in(place) {
            let path = self.needs_path(pattern, |needs| match list {
                "any_of" => needs.any_of.as_ref().is_some_and(Vec::is_empty),
                "kinds" => needs.kinds.as_ref().is_some_and(Vec::is_empty),
                _ => needs
                    .any_of_sets
                    .as_ref()
                    .is_some_and(|sets| sets.is_empty() || sets.iter().any(Vec::is_empty)),
            });
            return wording::at(path.field(list), error);
        }
        if place.starts_with("credential source") {
            let path = self.profile.source_path(&root.field("profile"), error);
            let problem =
                "no key has a kind of an empty list: list at least one, or leave `kinds` out";
            return Contradiction::new(path.field("kinds"), &problem);
        }
        wording::at(root.field("answer_preflight").field(list), error)
    }

    /// Returns the path of quotas for requests without a key.
    pub(super) fn anonymous_at(&self, place: &str, error: &ConfigError) -> Contradiction {
        let root = Path::default();
        let path = match pattern_in(place) {
            Some(pattern) => self.needs_path(pattern, |needs| !needs.anonymous_quotas.is_empty()),
            None => root.clone(),
        };
        wording::at(path.field("anonymous_quotas"), error)
            .beside(path)
            .beside(root.field("optional"))
            .beside(root.field("trusted_proxies"))
            .beside(root.field("without_limits"))
    }
}

/// Returns the pattern that an error names as its place.
fn pattern_in(place: &str) -> Option<&str> {
    place.strip_prefix(ROUTE)?.strip_suffix('`')
}
