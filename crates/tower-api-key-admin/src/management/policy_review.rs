//! What policies mean for keys that exist: which rules they break, and what a sweep would do with them.

use tower_api_key::clock::Timestamp;
use tower_api_key::policy::{KeyDates, Policies, PolicyAction, PolicyViolation};
use tower_api_key::store::{Action, Change, Difference, KeyEntry, KeyFilter, TrailFilter};

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

/// The lines of the trail that are read of a key or an account.
const LINES: usize = 200;

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
    /// What a sweep would do with the key now. It reminds of a rotation once for each secret.
    ///
    /// A sweep may leave on what is here to be switched off: it also knows the uses that only a `UsageRecorder` saw, all
    /// lines of the trail instead of the newest 200, and whether uses were recorded for the whole time of the rule.
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

    async fn review(
        &self,
        policies: &Policies,
        entry: &KeyEntry,
    ) -> Result<KeyReview, ManagementError> {
        let (record, now) = (&entry.record, self.now());
        let newest = entry.secrets.first().map_or(entry.created, |secret| secret.created);
        let dates = KeyDates::new(entry.created).newest_secret(newest);
        let dates = entry.last_used().map_or(dates, |used| dates.last_used(used));
        let due = self.due(policies, entry, dates).await?;
        let violations = policies.violations(record, newest);
        let counts = Policies::counts(record, now);
        Ok(KeyReview {
            key: record.id().to_string(),
            account: record.account().id().to_string(),
            policies: Policies::new(policies.covering(record).cloned()),
            violations: violations.filter(|_| counts).collect(),
            due,
        })
    }

    /// Returns what a sweep would do with a key. It leaves the keys of a disabled account as they are.
    async fn due(
        &self,
        policies: &Policies,
        entry: &KeyEntry,
        dates: KeyDates,
    ) -> Result<Vec<PolicyAction>, ManagementError> {
        let (record, now) = (&entry.record, self.now());
        if record.account().is_disabled() {
            return Ok(Vec::new());
        }
        let due = policies.due(record, &dates, now);
        if !due.iter().any(|action| matches!(action, PolicyAction::SwitchOff { .. })) {
            return Ok(due);
        }
        // A key that somebody has changed counts as used then, and so do the keys of an account that was enabled.
        let of_key = TrailFilter::key(record.id());
        let of_account = TrailFilter::account(record.account().id());
        let changed = self.newest_line(&of_key, is_of_somebody).await?;
        let enabled = self.newest_line(&of_account, enables_account).await?;
        let dates = [changed, enabled].into_iter().flatten().fold(dates, KeyDates::last_changed);
        Ok(policies.due(record, &dates, now))
    }

    /// Returns the instant of the newest line that meets a condition, of the newest lines of a key or an account.
    async fn newest_line(
        &self,
        filter: &TrailFilter,
        condition: fn(&Change) -> bool,
    ) -> Result<Option<Timestamp>, ManagementError> {
        let lines = self.0.manager.trail(filter, None, LINES).await?;
        Ok(lines.iter().find(|line| condition(line)).map(|line| line.at))
    }
}

/// Returns true for a change of a key by somebody else than a sweep.
fn is_of_somebody(change: &Change) -> bool {
    change.action == Action::KeyUpdated && change.by != "policy"
}

/// Returns true for a change that enables an account. Its keys could not be used before.
fn enables_account(change: &Change) -> bool {
    let enables = |difference: &Difference| {
        difference.field == "disabled" && difference.before.is_some() && difference.after.is_none()
    };
    change.action == Action::AccountSaved && change.differences.iter().any(enables)
}
