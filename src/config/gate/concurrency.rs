//! The limit of simultaneous requests on a route, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::concurrency::Concurrency;
use crate::config::duration::LengthOfTime;

/// How many requests of an account may be in flight at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ConcurrencyTable {
    /// The requests of an account that are admitted at once, at least 1.
    pub(in crate::config) limit: u32,
    /// How long a further request waits for its turn. Without this field it is refused at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) longest_wait: Option<LengthOfTime>,
    /// The most requests of an account that wait: 1000 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) longest_queue: Option<u32>,
}

impl ConcurrencyTable {
    pub(super) fn describe(&self) -> Concurrency {
        let mut rule = Concurrency::new(self.limit);
        if let Some(wait) = self.longest_wait {
            rule = rule.with_longest_wait(wait.duration());
        }
        match self.longest_queue {
            Some(requests) => rule.with_longest_queue(requests),
            None => rule,
        }
    }

    pub(super) fn of(rule: &Concurrency) -> Self {
        let (wait, queue) = (rule.longest_wait(), rule.longest_queue());
        let usual = Concurrency::new(rule.limit()).longest_queue();
        Self {
            limit: rule.limit(),
            longest_wait: (!wait.is_zero()).then(|| wait.into()),
            longest_queue: (queue != usual).then_some(queue),
        }
    }
}
