//! Limits of failed attempts and of refused requests, as they stand in a file.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prefixes::PrefixesTable;
use crate::attempts::{FailedAttempts, RefusedRequests};
use crate::config::duration::LengthOfTime;
use crate::config::quota::FailureChoice;
use crate::limits::Limiter;

/// How many attempts to authenticate may fail from one network of clients.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct FailedAttemptsTable {
    /// The failed attempts of a network in a window, at least 1.
    limit: u32,
    /// At least 1 second.
    window: LengthOfTime,
    /// The lengths of networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefixes: Option<PrefixesTable>,
    /// The networks that the gate remembers: 65,536 unless set, of 25 bytes each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capacity: Option<usize>,
    /// Serves valid keys even from a network over its limit. An attacker then learns of each key whether it is valid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    serve_good_keys: bool,
    /// Counts by `[limiter]` as well, so that all processes share the limit. The value is what happens while the limiter
    /// cannot answer: `deny` answers 503, `allow` goes on with the count of this process, `local/NODES` with a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shared_on_failure: Option<FailureChoice>,
}

impl FailedAttemptsTable {
    /// Describes the limit, which a limiter counts as well if the table says so. Without that limiter, no layer is built.
    pub(in crate::config) fn describe_shared(
        &self,
        limiter: Option<&Arc<dyn Limiter>>,
    ) -> FailedAttempts {
        let attempts = self.describe();
        match (limiter, self.shared_on_failure) {
            (Some(limiter), Some(choice)) => attempts.counted_by(Arc::clone(limiter), choice.0),
            (None, Some(_)) => attempts.counted_by_none(),
            (_, None) => attempts,
        }
    }

    fn describe(&self) -> FailedAttempts {
        let mut attempts = FailedAttempts::new(self.limit, self.window.duration());
        if let Some(PrefixesTable { ipv4, ipv6 }) = self.prefixes {
            attempts = attempts.prefixes(ipv4, ipv6);
        }
        if let Some(networks) = self.capacity {
            attempts = attempts.capacity(networks);
        }
        if self.serve_good_keys { attempts.serve_good_keys() } else { attempts }
    }
}

/// How many requests of one key the rules may refuse.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RefusedRequestsTable {
    /// The refused requests of a key in a window, at least 1.
    limit: u32,
    /// At least 1 second.
    window: LengthOfTime,
    /// The keys that the gate remembers: 65,536 unless set, of 25 bytes each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
}

impl RefusedRequestsTable {
    pub(super) fn describe(&self) -> RefusedRequests {
        let refusals = RefusedRequests::new(self.limit, self.window.duration());
        self.keys.map_or(refusals.clone(), |keys| refusals.keys(keys))
    }
}
