//! What policies mean for keys that exist: which rules they break, and what a sweep would do with them.

use tower_api_key::policy::{Policies, PolicyAction, PolicyViolation};
use tower_api_key::store::{KeyEntry, KeyFilter, sweep_preview};

use super::caller::Caller;
use super::error::ManagementError;
use super::keys::checked_limit;
use super::listed::Listed;
use super::management::Management;
use super::scopes::{KEYS_READ, POLICIES_READ};

/// The keys that one request compares with the policies at most.
const MOST_COMPARED: usize = 2_000;

/// The keys that are read at a time.
const CHUNK: usize = 200;

/// What policies mean for a key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReview {
    /// The id of the key.
    pub key: String,
    /// The account of the key.
    pub account: String,
    /// The policies that cover the key.
    pub policies: Policies,
    /// The rules that the key breaks as it is. The number of keys is not looked at.
    pub violations: Vec<PolicyViolation>,
    /// What a sweep would do with the key now, as [`sweep_preview`] says. It reminds of a rotation once for each secret.
    pub due: Vec<PolicyAction>,
}

impl Management {
    /// Shows which policies cover a key, which rules the key breaks, and what a sweep would do with it.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::NotFound`] if the caller sees no such key.
    pub async fn review_key(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<KeyReview, ManagementError> {
        let entry = self.show_key(caller, id).await?;
        let policies = self.0.manager.policies().await?;
        self.review(&policies, &entry).await
    }

    /// Lists the keys that break a rule, and those with which a sweep has something to do, in the order of their ids. A
    /// page may have fewer keys than the limit, or none, as long as it has a `next`: one request compares at most 2,000
    /// keys.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `policies.read` and `keys.read`; [`ManagementError::OperatorsOnly`] for
    /// owners; [`ManagementError::Invalid`] for a limit that is not from 1 to 200.
    pub async fn review_keys(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listed<KeyReview>, ManagementError> {
        caller.require_operator(POLICIES_READ)?;
        caller.require(KEYS_READ)?;
        let limit = checked_limit(limit)?;
        let policies = self.0.manager.policies().await?;
        let (mut found, mut compared) = (Vec::new(), 0);
        let mut next = after.map(str::to_owned);
        if policies.is_empty() {
            return Ok(Listed { found, broken: Vec::new(), next: None });
        }
        let filter = KeyFilter::default();
        while found.len() < limit && compared < MOST_COMPARED {
            let keys = self.0.manager.list(&filter, next.as_deref(), CHUNK).await?;
            let is_last = keys.len() < CHUNK;
            for entry in &keys {
                next = Some(filter.order.after(&entry.record));
                compared += 1;
                let review = self.review(&policies, entry).await?;
                if !review.violations.is_empty() || !review.due.is_empty() {
                    found.push(review);
                    if found.len() == limit {
                        break;
                    }
                }
            }
            if is_last && found.len() < limit {
                next = None;
                break;
            }
        }
        Ok(Listed { found, broken: Vec::new(), next })
    }

    /// Returns the policies that cover a key which the caller sees.
    #[cfg(feature = "console")]
    pub(crate) async fn policies_of_key(
        &self,
        entry: &KeyEntry,
    ) -> Result<Policies, ManagementError> {
        Ok(covering(&self.0.manager.policies().await?, entry))
    }

    async fn review(
        &self,
        policies: &Policies,
        entry: &KeyEntry,
    ) -> Result<KeyReview, ManagementError> {
        let (record, now) = (&entry.record, self.now());
        let due = sweep_preview(&*self.0.manager, policies, entry, now).await?;
        let violations = policies.violations(record, entry.newest_secret());
        let counts = Policies::counts(record, now);
        Ok(KeyReview {
            key: record.id().to_string(),
            account: record.account().id().to_string(),
            policies: covering(policies, entry),
            violations: violations.filter(|_| counts).collect(),
            due,
        })
    }
}

fn covering(policies: &Policies, entry: &KeyEntry) -> Policies {
    Policies::new(policies.covering(&entry.record).cloned())
}
