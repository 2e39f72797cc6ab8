//! The policies of a store, applied to one key.

use std::collections::BTreeMap;

use super::due::{self, PolicyAction};
use super::key_dates::KeyDates;
use super::policy::KeyPolicy;
use super::subject::PolicySubject;
use super::violation::PolicyViolation;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

/// Policies of a store. Those that cover a key apply together, so the strictest rule decides.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject, PolicyViolation};
///
/// let subject = PolicySubject::Kind("personal".try_into()?);
/// let policies = Policies::new([KeyPolicy::builder(subject.clone()).require_expiry().build()?]);
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let acme = Account::builder("acme").build()?;
/// let service = KeyRecord::builder("key_1", acme).kind("service").build()?;
/// assert_eq!(policies.check_new(&service, now), Ok(()));
///
/// let personal = service.edit().kind("personal").build()?;
/// let violation = PolicyViolation::ExpiryRequired { subject };
/// assert_eq!(policies.check_new(&personal, now), Err(violation.clone()));
/// assert_eq!(policies.check_change(&service, &personal, now), Err(violation));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policies(
    /// In the order of their subjects, each of which has one policy.
    Vec<KeyPolicy>,
);

impl Policies {
    /// Collects policies. Of two with one subject the later one counts.
    pub fn new(policies: impl IntoIterator<Item = KeyPolicy>) -> Self {
        let by_subject = policies.into_iter().map(|policy| (policy.subject().clone(), policy));
        Self(by_subject.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Adds or replaces a policy. Returns the one that had the same subject.
    pub fn save(&mut self, policy: KeyPolicy) -> Option<KeyPolicy> {
        match self.place(policy.subject()) {
            Ok(place) => self.0.get_mut(place).map(|before| std::mem::replace(before, policy)),
            Err(place) => {
                self.0.insert(place, policy);
                None
            }
        }
    }

    /// Removes the policy for a subject, and returns it.
    pub fn remove(&mut self, subject: &PolicySubject) -> Option<KeyPolicy> {
        Some(self.0.remove(self.place(subject).ok()?))
    }

    /// Returns the policy for a subject.
    pub fn find(&self, subject: &PolicySubject) -> Option<&KeyPolicy> {
        self.0.get(self.place(subject).ok()?)
    }

    /// Returns the place of the policy for a subject, or the one where it would be.
    fn place(&self, subject: &PolicySubject) -> Result<usize, usize> {
        self.0.binary_search_by(|policy| policy.subject().cmp(subject))
    }

    /// Lists all policies: for all keys, then by account, then by kind.
    pub fn iter(&self) -> impl Iterator<Item = &KeyPolicy> {
        self.0.iter()
    }

    /// Returns true if there is no policy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists the policies that cover a key.
    pub fn covering<'a>(&'a self, record: &'a KeyRecord) -> impl Iterator<Item = &'a KeyPolicy> {
        PolicySubject::all_of(record).filter_map(|subject| self.find(&subject))
    }

    /// Checks a key that is added at this instant. [`most_keys`](Self::most_keys) says what else to count.
    ///
    /// # Errors
    ///
    /// The first rule that the key breaks.
    pub fn check_new(&self, record: &KeyRecord, now: Timestamp) -> Result<(), PolicyViolation> {
        self.covering(record).try_for_each(|policy| {
            check_expiry(policy, record, now)?;
            check_scopes(policy, record)
        })
    }

    /// Checks a change of a key, whose newest secret was made at this instant. Only rules for what the change changes
    /// count. A change of the kind is checked by all rules, because other policies may cover the key.
    ///
    /// # Errors
    ///
    /// The first rule that the changed key breaks.
    pub fn check_change(
        &self,
        before: &KeyRecord,
        after: &KeyRecord,
        newest_secret: Timestamp,
    ) -> Result<(), PolicyViolation> {
        // A revoked key cannot be used, and nothing revives it.
        if after.is_revoked() {
            return Ok(());
        }
        let other_kind = before.kind() != after.kind();
        self.covering(after).try_for_each(|policy| {
            if other_kind || before.expires() != after.expires() {
                check_expiry(policy, after, newest_secret)?;
            }
            if other_kind || before.own_scopes() != after.own_scopes() {
                check_scopes(policy, after)?;
            }
            Ok(())
        })
    }

    /// Lists the policies that bound the number of keys, and must be counted for a key that is added (`before` is
    /// `None`) or changed at this instant. A change need not be counted unless the key begins to count.
    ///
    /// A bound counts the keys of the same account that its policy [covers](PolicySubject::covers) and that
    /// [count](Self::counts). With the key itself there may be as many as [`KeyPolicy::most_keys`].
    pub fn most_keys<'a>(
        &'a self,
        before: Option<&'a KeyRecord>,
        after: &'a KeyRecord,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a PolicySubject, u32)> {
        let counted = move |policy: &KeyPolicy| {
            before
                .is_some_and(|before| Self::counts(before, now) && policy.subject().covers(before))
        };
        let bounds = self.covering(after).filter(move |_| Self::counts(after, now));
        bounds
            .filter(move |policy| !counted(policy))
            .filter_map(|policy| policy.most_keys().map(|most| (policy.subject(), most)))
    }

    /// Returns true if a key counts for a bound: it is neither revoked nor expired. A key that is switched off counts,
    /// because it can be switched on.
    pub fn counts(record: &KeyRecord, now: Timestamp) -> bool {
        !record.is_revoked() && record.expires().is_none_or(|expires| expires > now)
    }

    /// Lists what a sweep does with a key at this instant. A key that is revoked, expired or switched off is left as it is.
    pub fn due(&self, record: &KeyRecord, dates: &KeyDates, now: Timestamp) -> Vec<PolicyAction> {
        due::actions(self.covering(record), record, dates, now)
    }
}

fn check_expiry(
    policy: &KeyPolicy,
    record: &KeyRecord,
    newest_secret: Timestamp,
) -> Result<(), PolicyViolation> {
    let subject = || policy.subject().clone();
    match (record.expires(), policy.longest_life()) {
        (None, _) if policy.requires_expiry() => {
            Err(PolicyViolation::ExpiryRequired { subject: subject() })
        }
        (Some(expires), Some(life)) if expires > newest_secret.plus(life) => {
            let latest = newest_secret.plus(life);
            Err(PolicyViolation::LivesTooLong { subject: subject(), life, latest })
        }
        _ => Ok(()),
    }
}

fn check_scopes(policy: &KeyPolicy, record: &KeyRecord) -> Result<(), PolicyViolation> {
    let Some(allowed) = policy.scopes() else { return Ok(()) };
    let subject = || policy.subject().clone();
    let Some(own) = record.own_scopes() else {
        return Err(PolicyViolation::ScopesRequired { subject: subject() });
    };
    match own.iter().find(|scope| !allowed.contains(scope)) {
        Some(scope) => Err(PolicyViolation::Scope { subject: subject(), scope: scope.to_owned() }),
        None => Ok(()),
    }
}
